#include "drivers/openflow/codec.hpp"

#include <algorithm>

namespace qnfv {

namespace {

constexpr size_t features_bytes = 32;
constexpr size_t packet_port_bytes = 48;
constexpr size_t cport_bytes = 72;
constexpr size_t cflow_mod_bytes = 24;
constexpr size_t cport_status_bytes = 16;
constexpr size_t error_bytes = 12;
constexpr size_t config_bytes = 12;
constexpr size_t name_bytes = 16;

failure bad(std::string text) {
  return {ec::invalid_argument, std::move(text)};
}

size_t to_eight(size_t n) {
  return (8 - n % 8) % 8;
}

class writer {
public:
  writer(openflow_type type, uint32_t xid) {
    u8(openflow_version);
    u8(static_cast<uint8_t>(type));
    u16(0);
    u32(xid);
  }
  void u8(uint8_t x) { out_.push_back(x); }
  void u16(uint16_t x) { number(x, 2); }
  void u32(uint32_t x) { number(x, 4); }
  void u64(uint64_t x) { number(x, 8); }
  void zeros(size_t n) { out_.resize(out_.size() + n); }
  void raw(byte_view x) { out_.insert(out_.end(), x.begin(), x.end()); }
  size_t size() const { return out_.size(); }
  bytes message() {
    out_[2] = static_cast<uint8_t>(out_.size() >> 8);
    out_[3] = static_cast<uint8_t>(out_.size());
    return std::move(out_);
  }

private:
  void number(uint64_t x, int n) {
    for (int i = n - 1; i >= 0; --i)
      out_.push_back(static_cast<uint8_t>(x >> 8 * i));
  }
  bytes out_;
};

/// Past the end it reads zeros and says so: a parser asks once, at its end.
class reader {
public:
  explicit reader(byte_view x) : rest_(x) {}
  uint8_t u8() { return static_cast<uint8_t>(number(1)); }
  uint16_t u16() { return static_cast<uint16_t>(number(2)); }
  uint32_t u32() { return static_cast<uint32_t>(number(4)); }
  uint64_t u64() { return number(8); }
  byte_view raw(size_t n) {
    short_ = short_ || n > rest_.size();
    auto out = rest_.part(0, n);
    rest_ = rest_.part(n);
    return out;
  }
  size_t left() const { return rest_.size(); }
  byte_view rest() const { return rest_; }
  bool enough() const { return !short_; }

private:
  uint64_t number(size_t n) {
    uint64_t out = 0;
    auto from = raw(n);
    if (from.size() == n)
      for (auto b : from)
        out = out << 8 | b;
    return out;
  }
  byte_view rest_;
  bool short_ = false;
};

bool zeros(byte_view x) {
  return std::all_of(x.begin(), x.end(), [](uint8_t b) { return b == 0; });
}

/// The body of a message of `type`, at least `minimum` bytes in all.
result<reader> body_of(byte_view message, openflow_type type, size_t minimum) {
  auto header = read_header(message);
  if (!header)
    return header.error();
  if (header->type != type)
    return bad(to_string(header->type) + " is no " + to_string(type));
  if (message.size() < minimum)
    return bad(to_string(type) + " of " + std::to_string(message.size()) + " bytes");
  return reader{message.part(openflow_header_bytes)};
}

void write(writer& to, const openflow_cport& x) {
  to.u16(x.port);
  to.raw(x.address);
  auto name = byte_view{std::string_view{x.name}}.part(0, name_bytes - 1);
  to.raw(name);
  to.zeros(name_bytes - name.size());
  for (auto y :
       {x.config, x.state, x.current, x.advertised, x.supported, x.peer, x.tdm_granularity})
    to.u32(y);
  to.u16(x.kinds);
  to.u16(x.peer_port);
  to.u64(x.peer_datapath);
  to.u16(static_cast<uint16_t>(x.bandwidth.size()));
  to.zeros(6);
  for (auto y : x.bandwidth)
    to.u64(y);
}

openflow_cport read_cport(reader& from) {
  openflow_cport x;
  x.port = from.u16();
  auto address = from.raw(x.address.size());
  std::copy(address.begin(), address.end(), x.address.begin());
  auto name = from.raw(name_bytes);
  x.name.assign(name.begin(), std::find(name.begin(), name.end(), 0));
  for (auto* y :
       {&x.config, &x.state, &x.current, &x.advertised, &x.supported, &x.peer, &x.tdm_granularity})
    *y = from.u32();
  x.kinds = from.u16();
  x.peer_port = from.u16();
  x.peer_datapath = from.u64();
  size_t words = from.u16();
  from.raw(6);
  if (words * 8 > from.left()) {
    from.raw(words * 8); // Too short, and the reader knows it.
    return x;
  }
  for (size_t i = 0; i < words; ++i)
    x.bandwidth.push_back(from.u64());
  return x;
}

} // namespace

bytes encode(openflow_type type, uint32_t xid, byte_view body) {
  writer out{type, xid};
  out.raw(body.part(0, openflow_message_bytes_max - openflow_header_bytes));
  return out.message();
}

bytes encode(uint32_t xid, const openflow_features& x) {
  writer out{openflow_type::features_reply, xid};
  out.u64(x.datapath);
  out.u32(x.buffers);
  out.u8(x.tables);
  out.u8(static_cast<uint8_t>(x.cports.size()));
  out.zeros(2);
  out.u32(x.capabilities);
  out.u32(x.actions);
  for (auto& port : x.cports)
    write(out, port);
  return out.message();
}

bytes encode(uint32_t xid, const openflow_cflow_mod& x, port_padding padding) {
  writer out{openflow_type::cflow_mod, xid};
  out.u16(static_cast<uint16_t>(x.command));
  out.u16(x.hard_timeout_s);
  out.zeros(4);
  out.u16(x.wildcards);
  out.u16(x.count);
  out.zeros(4);
  for (auto* ports : {&x.in_ports, &x.out_ports}) {
    for (auto port : *ports)
      out.u16(port);
    if (padding == port_padding::each_array)
      out.zeros(to_eight(2 * ports->size()));
  }
  if (padding == port_padding::end)
    out.zeros(to_eight(out.size()));
  for (auto* ports : {&x.in_tdm, &x.out_tdm})
    for (auto& port : *ports) {
      out.u16(port.port);
      out.u16(port.first_slot);
      out.u32(port.signal);
    }
  for (auto* ports : {&x.in_wave, &x.out_wave})
    for (auto& port : *ports) {
      out.u16(port.port);
      out.zeros(6);
      out.u64(port.wavelengths);
    }
  out.raw(x.actions);
  return out.message();
}

bytes encode(uint32_t xid, const openflow_cport_status& x) {
  writer out{openflow_type::cport_status, xid};
  out.u8(static_cast<uint8_t>(x.reason));
  out.zeros(7);
  write(out, x.port);
  return out.message();
}

bytes encode(uint32_t xid, const openflow_error& x) {
  writer out{openflow_type::error, xid};
  out.u16(x.type);
  out.u16(x.code);
  out.raw(byte_view{x.about}.part(0, openflow_error_data_bytes));
  return out.message();
}

bytes encode(openflow_type type, uint32_t xid, const openflow_config& x) {
  writer out{type, xid};
  out.u16(x.flags);
  out.u16(x.miss_send_bytes);
  return out.message();
}

result<openflow_header> read_header(byte_view message) {
  if (message.size() < openflow_header_bytes)
    return bad("an OpenFlow message of " + std::to_string(message.size()) + " bytes");
  reader from{message};
  openflow_header x;
  x.version = from.u8();
  x.type = static_cast<openflow_type>(from.u8());
  x.length = from.u16();
  x.xid = from.u32();
  if (x.length != message.size())
    return bad(to_string(x.type) + " of " + std::to_string(message.size())
               + " bytes says that it has " + std::to_string(x.length));
  return x;
}

result<openflow_features> read_features(byte_view message) {
  auto from = body_of(message, openflow_type::features_reply, features_bytes);
  if (!from)
    return from.error();
  openflow_features x;
  x.datapath = from->u64();
  x.buffers = from->u32();
  x.tables = from->u8();
  size_t count = from->u8();
  from->u16();
  x.capabilities = from->u32();
  x.actions = from->u32();
  // How many packet ports come before the circuit ports is said nowhere: as many as make the
  // circuit ports end where the message does. A circuit port is longer, so few fit.
  if (from->left() < count * cport_bytes)
    return bad("FEATURES_REPLY of " + std::to_string(message.size()) + " bytes cannot have "
               + std::to_string(count) + " circuit ports");
  auto packets_max = (from->left() - count * cport_bytes) / packet_port_bytes;
  for (size_t packets = 0; packets <= packets_max; ++packets) {
    reader ports{from->rest().part(packets * packet_port_bytes)};
    std::vector<openflow_cport> cports;
    while (cports.size() < count && ports.enough())
      cports.push_back(read_cport(ports));
    if (!ports.enough() || ports.left() != 0)
      continue;
    x.packet_ports = static_cast<uint16_t>(packets);
    x.cports = std::move(cports);
    return x;
  }
  return bad("FEATURES_REPLY: the ports do not fill the message");
}

result<openflow_cflow_mod> read_cflow_mod(byte_view message) {
  auto from = body_of(message, openflow_type::cflow_mod, cflow_mod_bytes);
  if (!from)
    return from.error();
  openflow_cflow_mod x;
  x.command = static_cast<circuit_command>(from->u16());
  x.hard_timeout_s = from->u16();
  from->u32();
  x.wildcards = from->u16();
  x.count = from->u16();
  from->u32();
  auto has = [&](uint16_t bit) { return (x.wildcards & bit) == 0; };
  size_t n = x.count;
  size_t needed = 0;
  for (auto [bit, size] : {std::pair<uint16_t, size_t>{openflow::no_in_port, 2},
                           {openflow::no_out_port, 2},
                           {openflow::no_in_tdm, 8},
                           {openflow::no_out_tdm, 8},
                           {openflow::no_in_wave, 16},
                           {openflow::no_out_wave, 16}})
    needed += has(bit) ? n * size : 0;
  if (from->left() < needed)
    return bad("CFLOW_MOD of " + std::to_string(message.size()) + " bytes has no room for "
               + std::to_string(n) + " components");
  // Whether each array of 2-byte ports is padded: then all is made of 8 bytes, and behind the first
  // array there are zeros, which are no port.
  auto pad = to_eight(2 * n);
  auto arrays = size_t{has(openflow::no_in_port)} + size_t{has(openflow::no_out_port)};
  bool each = n > 0 && arrays > 0 && pad > 0 && from->left() >= needed + arrays * pad
              && from->left() % 8 == 0 && zeros(from->rest().part(2 * n, pad))
              && (arrays == 1 || !zeros(from->rest().part(2 * n + pad, 2)));
  auto read_ports = [&](uint16_t bit, std::vector<uint16_t>& to) {
    if (!has(bit))
      return;
    for (size_t i = 0; i < n; ++i)
      to.push_back(from->u16());
    if (each)
      from->raw(pad);
  };
  read_ports(openflow::no_in_port, x.in_ports);
  read_ports(openflow::no_out_port, x.out_ports);
  for (auto* ports : {&x.in_ports, &x.out_ports})
    if (std::find(ports->begin(), ports->end(), 0) != ports->end())
      return bad("CFLOW_MOD with a port 0");
  if (!each) {
    auto end = to_eight(arrays * 2 * n);
    // Everything behind is made of 8 bytes each: what is over is padding.
    if (end > 0 && from->left() % 8 == end && zeros(from->rest().part(0, end)))
      from->raw(end);
  }
  auto read_tdm = [&](uint16_t bit, std::vector<tdm_port>& to) {
    for (size_t i = 0; has(bit) && i < n; ++i) {
      auto port = from->u16();
      auto slot = from->u16();
      to.push_back({port, slot, from->u32()});
    }
  };
  read_tdm(openflow::no_in_tdm, x.in_tdm);
  read_tdm(openflow::no_out_tdm, x.out_tdm);
  auto read_wave = [&](uint16_t bit, std::vector<wave_port>& to) {
    for (size_t i = 0; has(bit) && i < n; ++i) {
      auto port = from->u16();
      from->raw(6);
      to.push_back({port, from->u64()});
    }
  };
  read_wave(openflow::no_in_wave, x.in_wave);
  read_wave(openflow::no_out_wave, x.out_wave);
  if (!from->enough() || from->left() % 8 != 0)
    return bad("CFLOW_MOD of " + std::to_string(message.size()) + " bytes with " + std::to_string(n)
               + " components");
  auto actions = from->rest();
  x.actions.assign(actions.begin(), actions.end());
  return x;
}

result<openflow_cport_status> read_cport_status(byte_view message) {
  auto from = body_of(message, openflow_type::cport_status, cport_status_bytes + cport_bytes);
  if (!from)
    return from.error();
  openflow_cport_status x;
  x.reason = static_cast<cport_reason>(from->u8());
  from->raw(7);
  x.port = read_cport(*from);
  if (!from->enough() || from->left() != 0)
    return bad("CPORT_STATUS of " + std::to_string(message.size()) + " bytes");
  return x;
}

result<openflow_error> read_error(byte_view message) {
  auto from = body_of(message, openflow_type::error, error_bytes);
  if (!from)
    return from.error();
  openflow_error x;
  x.type = from->u16();
  x.code = from->u16();
  auto about = from->rest();
  x.about.assign(about.begin(), about.end());
  return x;
}

result<openflow_config> read_config(byte_view message) {
  auto header = read_header(message);
  if (!header)
    return header.error();
  auto type = header->type == openflow_type::set_config ? openflow_type::set_config
                                                        : openflow_type::get_config_reply;
  auto from = body_of(message, type, config_bytes);
  if (!from)
    return from.error();
  openflow_config x;
  x.flags = from->u16();
  x.miss_send_bytes = from->u16();
  return x;
}

} // namespace qnfv
