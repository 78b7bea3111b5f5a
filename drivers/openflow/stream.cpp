#include "drivers/openflow/codec.hpp"

#include <cstdio>

namespace qnfv {

status openflow_splitter::add(byte_view piece) {
  failure broken{ec::invalid_argument, "no OpenFlow message has such a length"};
  if (broken_)
    return broken;
  // Copies a byte once, whatever the pieces: up to the header, then up to the end of the message.
  while (!piece.empty()) {
    auto wanted = openflow_header_bytes;
    if (partial_.size() >= openflow_header_bytes)
      wanted = static_cast<size_t>(partial_[2]) << 8 | partial_[3];
    auto part = piece.part(0, wanted - partial_.size());
    partial_.insert(partial_.end(), part.begin(), part.end());
    piece = piece.part(part.size());
    if (partial_.size() < openflow_header_bytes)
      break;
    auto length = static_cast<size_t>(partial_[2]) << 8 | partial_[3];
    if (length < openflow_header_bytes || length > limit_) {
      broken_ = true;
      partial_.clear();
      return broken;
    }
    if (partial_.size() == length) {
      whole_.push_back(std::move(partial_));
      partial_.clear();
    }
  }
  return done{};
}

std::optional<bytes> openflow_splitter::next() {
  if (whole_.empty())
    return std::nullopt;
  auto out = std::move(whole_.front());
  whole_.pop_front();
  return out;
}

std::string to_string(openflow_type x) {
  switch (x) {
  case openflow_type::hello:
    return "HELLO";
  case openflow_type::error:
    return "ERROR";
  case openflow_type::echo_request:
    return "ECHO_REQUEST";
  case openflow_type::echo_reply:
    return "ECHO_REPLY";
  case openflow_type::vendor:
    return "VENDOR";
  case openflow_type::features_request:
    return "FEATURES_REQUEST";
  case openflow_type::features_reply:
    return "FEATURES_REPLY";
  case openflow_type::get_config_request:
    return "GET_CONFIG_REQUEST";
  case openflow_type::get_config_reply:
    return "GET_CONFIG_REPLY";
  case openflow_type::set_config:
    return "SET_CONFIG";
  case openflow_type::barrier_request:
    return "BARRIER_REQUEST";
  case openflow_type::barrier_reply:
    return "BARRIER_REPLY";
  case openflow_type::cport_status:
    return "CPORT_STATUS";
  case openflow_type::cflow_mod:
    return "CFLOW_MOD";
  }
  return "type " + std::to_string(static_cast<unsigned>(x));
}

std::string to_string(const openflow_error& x) {
  if (x.type == openflow::circuit_failed && x.code <= openflow::mismatch) {
    static const char* codes[] = {"VCG_DEF", "OVERLAP", "MISMATCH"};
    return std::string{"CFLOW_MOD_FAILED: "} + codes[x.code];
  }
  if (x.type == openflow::bad_request && x.code <= 8) {
    static const char* codes[] = {"BAD_VERSION", "BAD_TYPE",     "BAD_STAT",
                                  "BAD_VENDOR",  "BAD_SUBTYPE",  "EPERM",
                                  "BAD_LEN",     "BUFFER_EMPTY", "BUFFER_UNKNOWN"};
    return std::string{"BAD_REQUEST: "} + codes[x.code];
  }
  return "error type " + std::to_string(x.type) + " code " + std::to_string(x.code);
}

std::string datapath_text(uint64_t x) {
  std::string out;
  for (int i = 7; i >= 0; --i) {
    char digits[4];
    std::snprintf(digits, sizeof digits, "%02x", static_cast<unsigned>(x >> 8 * i & 0xFF));
    out += (out.empty() ? "" : ":") + std::string{digits};
  }
  return out;
}

result<uint64_t> parse_datapath(const std::string& text) {
  failure bad{ec::bad_config, "\"" + text + "\" is no datapath id, e.g. 00:00:00:00:00:00:05:1e"};
  std::string digits;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != ':')
      digits += text[i];
    else if (i % 3 != 2 || text.size() != 23)
      return bad;
  }
  if (digits.empty() || digits.size() > 16 || (text.size() == 23 && digits.size() != 16))
    return bad;
  digits.insert(0, 16 - digits.size(), '0');
  auto raw = from_hex(digits);
  if (!raw)
    return bad;
  return load_be64(raw->data());
}

} // namespace qnfv
