// OpenFlow 1.0 with the circuit switch addendum v0.3: the bytes, and what is no OpenFlow.
//
// The vectors were worked out by hand from the layouts of the OpenFlow 1.0.0 specification and of
// the addendum; the datapath id is that of the paper's Fig. 12.

#include "drivers/openflow/codec.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <random>

using namespace qnfv;

namespace {

/// "01000008 00000001"
bytes hex(std::string text) {
  text.erase(std::remove(text.begin(), text.end(), ' '), text.end());
  auto out = from_hex(text);
  REQUIRE(out);
  return *out;
}

const std::string hello = "01000008 00000001";
const std::string features_request = "01050008 00000002";
const std::string features_reply =
  "010600c0 00000002 000000000000051e 00000000 00 02 0000 00000000 00000000"
  "0001 020000000001 696e3100000000000000000000000000 00000000 00000000 00100000 00000000 00100000"
  "00000000 00000000 8000 0000 0000000000000000 0001 000000000000 0000000000000001"
  "0019 020000000019 6f757432350000000000000000000000 00000000 00000000 00100000 00000000 00100000"
  "00000000 00000000 8000 0000 0000000000000000 0001 000000000000 0000000000000001";
const std::string add_one = "01ff001c 00000003 0000 0000 00000000 003c 0001 00000000 0001 0019";
const std::string add_two =
  "01ff0020 00000004 0000 0000 00000000 003c 0002 00000000 0001 0002 0019 001a";
const std::string remove_one = "01ff001c 00000005 0004 0000 00000000 003c 0001 00000000 0001 0019";
const std::string add_wave =
  "01ff0038 00000007 0000 0000 00000000 000f 0001 00000000 0001 000000000000 0000000000000001"
  "0019 000000000000 0000000000000001";
const std::string add_tdm = "01ff0028 00000006 0000 0000 00000000 0033 0001 00000000"
                            "0001 0002 00000003 0019 0004 00000005";
const std::string overlap = "01010028 00000003 ffff 0001" + add_one;
const std::string barrier_request = "01120008 00000008";
const std::string barrier_reply = "01130008 00000008";
const std::string port_dark =
  "01fe0060 00000009 02 00000000000000"
  "0019 020000000019 6f757432350000000000000000000000 00000000 00000001 00100000 00000000 00100000"
  "00000000 00000000 8000 0000 0000000000000000 0001 000000000000 0000000000000001";

openflow_cport fibre_port(uint16_t number, std::string name) {
  openflow_cport x;
  x.port = number;
  x.address = {2, 0, 0, 0, 0, static_cast<uint8_t>(number)};
  x.name = std::move(name);
  x.current = x.supported = openflow::any_fibre;
  x.kinds = openflow::fibre_switching;
  x.bandwidth = {openflow::fibre_switch};
  return x;
}

openflow_cflow_mod fibre(std::vector<uint16_t> in, std::vector<uint16_t> out) {
  openflow_cflow_mod x;
  x.count = static_cast<uint16_t>(in.size());
  x.in_ports = std::move(in);
  x.out_ports = std::move(out);
  return x;
}

/// Reads with every parser; a value or an error, and never more memory than the bytes deserve.
void read_all(byte_view x) {
  auto header = read_header(x);
  if (auto y = read_features(x))
    CHECK((y->cports.size() * 72 <= x.size() && header));
  if (auto y = read_cflow_mod(x)) {
    CHECK(y->in_ports.size() + y->out_ports.size() <= x.size() / 2);
    CHECK(y->in_wave.size() + y->out_wave.size() <= x.size() / 16);
    CHECK(y->actions.size() <= x.size());
  }
  if (auto y = read_cport_status(x))
    CHECK(y->port.bandwidth.size() <= x.size() / 8);
  if (auto y = read_error(x))
    CHECK(y->about.size() <= x.size());
  read_config(x);
}

} // namespace

TEST_CASE("what we write are the worked bytes") {
  CHECK(encode(openflow_type::hello, 1) == hex(hello));
  CHECK(encode(openflow_type::features_request, 2) == hex(features_request));
  openflow_features features;
  features.datapath = 0x51e;
  features.cports = {fibre_port(1, "in1"), fibre_port(25, "out25")};
  CHECK(encode(2, features) == hex(features_reply));
  CHECK(encode(3, fibre({1}, {25})) == hex(add_one));
  CHECK(encode(4, fibre({1, 2}, {25, 26})) == hex(add_two));
  auto removal = fibre({1}, {25});
  removal.command = circuit_command::remove_strict;
  CHECK(encode(5, removal) == hex(remove_one));
  openflow_cflow_mod wave;
  wave.wildcards = 0x000F;
  wave.count = 1;
  wave.in_wave = {{1, 1}};
  wave.out_wave = {{25, 1}};
  CHECK(encode(7, wave) == hex(add_wave));
  openflow_cflow_mod tdm;
  tdm.wildcards = 0x0033;
  tdm.count = 1;
  tdm.in_tdm = {{1, 2, 3}};
  tdm.out_tdm = {{25, 4, 5}};
  CHECK(encode(6, tdm) == hex(add_tdm));
  CHECK(encode(3, openflow_error{0xFFFF, 1, hex(add_one)}) == hex(overlap));
  CHECK(encode(openflow_type::barrier_request, 8) == hex(barrier_request));
  CHECK(encode(openflow_type::barrier_reply, 8) == hex(barrier_reply));
  openflow_cport_status dark;
  dark.port = fibre_port(25, "out25");
  dark.port.state = openflow::no_light;
  CHECK(encode(9, dark) == hex(port_dark));
}

TEST_CASE("the worked bytes are read") {
  auto header = read_header(hex(hello));
  REQUIRE(header);
  CHECK(header->type == openflow_type::hello);
  CHECK(header->xid == 1);
  auto features = read_features(hex(features_reply));
  REQUIRE(features);
  CHECK(features->datapath == 0x51e);
  CHECK(features->packet_ports == 0);
  REQUIRE(features->cports.size() == 2);
  CHECK(features->cports[1].port == 25);
  CHECK(features->cports[1].name == "out25");
  CHECK(features->cports[1].kinds == openflow::fibre_switching);
  CHECK(features->cports[1].bandwidth == std::vector<uint64_t>{1});
  auto two = read_cflow_mod(hex(add_two));
  REQUIRE(two);
  CHECK(two->command == circuit_command::add);
  CHECK(two->in_ports == std::vector<uint16_t>{1, 2});
  CHECK(two->out_ports == std::vector<uint16_t>{25, 26});
  auto wave = read_cflow_mod(hex(add_wave));
  REQUIRE(wave);
  REQUIRE(wave->out_wave.size() == 1);
  CHECK(wave->out_wave[0].port == 25);
  CHECK(wave->out_wave[0].wavelengths == 1);
  auto tdm = read_cflow_mod(hex(add_tdm));
  REQUIRE(tdm);
  REQUIRE(tdm->in_tdm.size() == 1);
  CHECK(tdm->in_tdm[0].first_slot == 2);
  CHECK(tdm->out_tdm[0].signal == 5);
  auto error = read_error(hex(overlap));
  REQUIRE(error);
  CHECK(error->type == 0xFFFF);
  CHECK(error->code == 1);
  CHECK(error->about == hex(add_one));
  CHECK(to_string(*error) == "CFLOW_MOD_FAILED: OVERLAP");
  auto dark = read_cport_status(hex(port_dark));
  REQUIRE(dark);
  CHECK(dark->reason == cport_reason::modify);
  CHECK(dark->port.port == 25);
  CHECK(dark->port.state == openflow::no_light);
}

TEST_CASE("packet ports before the circuit ports are stepped over") {
  auto message = hex(features_reply);
  message.insert(message.begin() + 32, 3 * 48, uint8_t{7});
  message[2] = static_cast<uint8_t>(message.size() >> 8);
  message[3] = static_cast<uint8_t>(message.size());
  auto x = read_features(message);
  REQUIRE(x);
  CHECK(x->packet_ports == 3);
  REQUIRE(x->cports.size() == 2);
  CHECK(x->cports[0].port == 1);
}

TEST_CASE("arrays of ports are understood with padding and without, with actions and without") {
  for (size_t n = 1; n <= 9; ++n)
    for (auto padding : {port_padding::none, port_padding::each_array, port_padding::end})
      for (auto wildcards : {0x3C, 0x3D, 0x3E})
        for (size_t actions : {0, 8, 16}) {
          openflow_cflow_mod x;
          x.wildcards = static_cast<uint16_t>(wildcards);
          x.count = static_cast<uint16_t>(n);
          for (size_t i = 0; i < n; ++i) {
            if ((wildcards & openflow::no_in_port) == 0)
              x.in_ports.push_back(static_cast<uint16_t>(i + 1));
            if ((wildcards & openflow::no_out_port) == 0)
              x.out_ports.push_back(static_cast<uint16_t>(i + 25));
          }
          x.actions.assign(actions, actions == 16 ? 0 : 9);
          auto message = encode(1, x, padding);
          auto y = read_cflow_mod(message);
          INFO(n << " ports, padding " << int(padding) << ", wildcards " << wildcards << ", "
                 << actions << " bytes of actions");
          REQUIRE(y);
          CHECK(y->in_ports == x.in_ports);
          CHECK(y->out_ports == x.out_ports);
          CHECK(y->actions == x.actions);
        }
}

TEST_CASE("a message that is cut anywhere, or of another type, is no message") {
  for (auto& text :
       {hello, features_reply, add_one, add_two, add_wave, add_tdm, overlap, port_dark}) {
    auto whole = hex(text);
    for (size_t n = 0; n < whole.size(); ++n) {
      bytes cut{whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(n)};
      CHECK_FALSE(read_header(cut));
      if (n < 4)
        continue;
      // Also if the length says so: then only what its type allows.
      cut[2] = static_cast<uint8_t>(n >> 8);
      cut[3] = static_cast<uint8_t>(n);
      CHECK_FALSE(read_features(cut));
      CHECK_FALSE(read_cport_status(cut));
      read_all(cut);
    }
  }
  CHECK_FALSE(read_features(hex(add_one)));
  CHECK_FALSE(read_cflow_mod(hex(features_reply)));
  CHECK_FALSE(read_cport_status(hex(overlap)));
  CHECK_FALSE(read_error(hex(port_dark)));
  CHECK_FALSE(read_config(hex(hello)));
  CHECK_FALSE(read_cflow_mod(hex("01ff0018 00000003 0000 0000 00000000 003c 0001 00000000")));
  CHECK_FALSE(read_cflow_mod(hex("01ff001a 00000003 0000 0000 00000000 003c 0001 00000000 0001")));
  CHECK_FALSE(
    read_cflow_mod(hex("01ff001c 00000003 0000 0000 00000000 003c ffff 00000000 0001 0019")));
  for (auto* ports : {"0000 0019", "0001 0000"})
    CHECK_FALSE(read_cflow_mod(hex("01ff001c 00000003 0000 0000 00000000 003c 0001 00000000 " + std::string{ports})));
  CHECK_FALSE(read_error(hex("0101000a 00000003 ffff")));
  auto none = read_cflow_mod(hex("01ff0018 00000003 0000 0000 00000000 003c 0000 00000000"));
  REQUIRE(none); // That no component is nonsense is for the switch to say.
  CHECK(none->count == 0);
}

TEST_CASE("any bytes give a value or an error") {
  std::mt19937 random{7};
  auto byte = [&] { return static_cast<uint8_t>(random()); };
  std::vector<bytes> seeds;
  for (auto& text :
       {hello, features_reply, add_one, add_two, add_wave, add_tdm, overlap, port_dark})
    seeds.push_back(hex(text));
  for (int i = 0; i < 100000; ++i) {
    bytes x;
    if (i % 2 == 0) {
      x = seeds[random() % seeds.size()];
      for (auto n = 1 + random() % 4; n > 0; --n)
        x[random() % x.size()] = byte();
      x.resize(std::max<size_t>(4, x.size() + random() % 16 - 8));
    } else {
      x.resize(4 + random() % 300);
      std::generate(x.begin(), x.end(), byte);
      static const uint8_t types[] = {0, 1, 6, 9, 0xFE, 0xFF};
      x[1] = types[random() % std::size(types)];
    }
    x[0] = 1;
    x[2] = static_cast<uint8_t>(x.size() >> 8);
    x[3] = static_cast<uint8_t>(x.size());
    read_all(x);
  }
}

TEST_CASE("the largest messages are read in bounded time and memory") {
  bytes x(openflow_message_bytes_max, 0);
  x[0] = 1;
  x[2] = x[3] = 0xFF;
  for (uint8_t type : {6, 0xFE, 0xFF}) {
    x[1] = type;
    x[21] = 255; // So many circuit ports.
    read_all(x);
  }
}

TEST_CASE("a stream is cut into messages wherever its pieces end") {
  bytes stream;
  std::vector<bytes> messages;
  for (auto& text : {hello, features_reply, add_two, barrier_request, overlap}) {
    messages.push_back(hex(text));
    stream.insert(stream.end(), messages.back().begin(), messages.back().end());
  }
  for (size_t piece = 1; piece <= stream.size(); piece = piece < 20 ? piece + 1 : piece * 2) {
    openflow_splitter splitter;
    std::vector<bytes> got;
    for (size_t at = 0; at < stream.size(); at += piece) {
      REQUIRE(splitter.add(byte_view{stream}.part(at, piece)));
      while (auto message = splitter.next())
        got.push_back(*message);
    }
    CHECK(got == messages);
    CHECK(splitter.held() == 0);
  }
}

TEST_CASE("a length that cannot be ends the stream, but not what came before") {
  for (auto* bad : {"01000007 00000001", "01000000 00000001", "01ff0101 00000001"}) {
    openflow_splitter splitter{256};
    auto stream = hex(hello + bad);
    CHECK_FALSE(splitter.add(stream));
    CHECK(splitter.next() == hex(hello));
    CHECK_FALSE(splitter.next());
    CHECK_FALSE(splitter.add(hex(hello)));
    CHECK(splitter.held() == 0);
  }
  openflow_splitter patient;
  auto message = hex("01ffffff 00000001");
  REQUIRE(patient.add(message));
  REQUIRE(patient.add(bytes(60000)));
  CHECK_FALSE(patient.next());
  CHECK(patient.held() == 60008);
}

TEST_CASE("a datapath id is read and written as OpenDaylight does") {
  CHECK(datapath_text(0x51e) == "00:00:00:00:00:00:05:1e");
  CHECK(*parse_datapath("00:00:00:00:00:00:05:1e") == 0x51e);
  CHECK(*parse_datapath("51e") == 0x51e);
  CHECK(*parse_datapath("ffffffffffffffff") == UINT64_MAX);
  for (auto* bad :
       {"", ":", "xyz", "00:00:00:00:00:00:05", "00:00:00:00:00:00:05:1", "0:00:00:00:00:00:00:51e",
        "00000000000000051e", "51e ", "0x51e", "00-00-00-00-00-00-05-1e"})
    CHECK(parse_datapath(bad).error().code == ec::bad_config);
}

TEST_CASE("of messages with known fields everybody may see all, of others the header") {
  openflow_cflow_mod mod;
  mod.count = 1;
  mod.in_ports = {1};
  mod.out_ports = {25};
  auto known = encode(7, mod);
  CHECK(show_openflow(known).value == known);
  auto secret = byte_view{std::string_view{"secret"}};
  for (auto type : {openflow_type::hello, openflow_type::echo_request, openflow_type::echo_reply,
                    openflow_type::vendor, openflow_type{77}}) {
    auto message = encode(type, 7, secret);
    auto shown = show_openflow(message).value;
    REQUIRE(shown.size() == message.size());
    CHECK(bytes(shown.begin(), shown.begin() + 8) == bytes(message.begin(), message.begin() + 8));
    CHECK(bytes(shown.begin() + 8, shown.end()) == bytes(6, masked_byte));
  }
  auto later = known;
  later[0] = 4;
  CHECK(show_openflow(later).value != later);
  CHECK(show_openflow(bytes(5, 1)).value == bytes(5, masked_byte));
  CHECK(show_openflow({}).value.empty());
}
