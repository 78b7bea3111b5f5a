#include "drivers/channel_tcp/preface.hpp"

#include <algorithm>

namespace qnfv {

namespace {

constexpr std::string_view magic = "QVD2";
constexpr size_t transfer_at = magic.size();
constexpr size_t token_at = transfer_at + 16;
constexpr size_t trace_size_at = token_at + 16;
constexpr size_t cause_size_at = trace_size_at + 1;
static_assert(cause_size_at + 1 == preface_head_bytes);

std::optional<event_id> id_of(byte_view x) {
  return parse_event_id({reinterpret_cast<const char*>(x.data()), x.size()});
}

} // namespace

bytes encode(const preface& x) {
  auto trace = to_string(x.opener.trace), cause = to_string(x.opener.cause);
  bytes out(magic.begin(), magic.end());
  out.insert(out.end(), x.transfer.value.begin(), x.transfer.value.end());
  out.insert(out.end(), x.token.begin(), x.token.end());
  out.push_back(static_cast<uint8_t>(trace.size()));
  out.push_back(static_cast<uint8_t>(cause.size()));
  out.insert(out.end(), trace.begin(), trace.end());
  out.insert(out.end(), cause.begin(), cause.end());
  return out;
}

std::optional<size_t> preface_tail_bytes(byte_view head) {
  if (head.size() < preface_head_bytes || !std::equal(magic.begin(), magic.end(), head.begin())
      || head[trace_size_at] > event_name_max || head[cause_size_at] > event_name_max)
    return std::nullopt;
  return size_t{head[trace_size_at]} + head[cause_size_at];
}

std::optional<preface> decode_preface(byte_view whole) {
  auto tail = preface_tail_bytes(whole);
  if (!tail || whole.size() != preface_head_bytes + *tail)
    return std::nullopt;
  preface out;
  std::copy_n(whole.data() + transfer_at, out.transfer.value.size(), out.transfer.value.begin());
  std::copy_n(whole.data() + token_at, out.token.size(), out.token.begin());
  auto trace = id_of(whole.part(preface_head_bytes, whole[trace_size_at]));
  auto cause = id_of(whole.part(preface_head_bytes + whole[trace_size_at]));
  if (!trace || !cause)
    return std::nullopt;
  out.opener = {*trace, *cause};
  return out;
}

} // namespace qnfv
