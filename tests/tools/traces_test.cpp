#include "runtime/base/bytes.hpp"
#include "tests/support/folder.hpp"
#include "tools/traces/causality.hpp"
#include "tools/traces/chart.hpp"
#include "tools/traces/diff.hpp"
#include "tools/traces/exports.hpp"
#include "tools/traces/packets.hpp"

#include <catch2/catch.hpp>
#include <rapidjson/document.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>

using namespace qnfv;

namespace {

const face_settings plain{false, 100};

trace_event event(const std::string& site, uint64_t sequence, trace_kind kind, int64_t ms,
                  const std::string& cause, const std::string& from, const std::string& to,
                  const std::string& message, const std::string& text = "") {
  trace_event x;
  x.unix_ns = ms * 1'000'000;
  x.site = site;
  x.epoch = 1;
  x.sequence = sequence;
  x.kind = kind;
  x.trace = "co:1:1";
  x.cause = cause;
  x.from = from;
  x.to = to;
  x.message = message;
  x.text = text.empty() ? message + "(...)" : text;
  return x;
}

/// One delivery; the clock of dc1 is 40 ms behind, so its events seem to come before their causes.
trace_log delivery() {
  auto receive = trace_kind::receive;
  trace_log log;
  log.events = {
    event("dc1", 1, receive, -30, "co:1:5", "co/#9", "dc1/mano_gateway", "transfer_offer"),
    event("dc1", 2, receive, -29, "dc1:1:1", "dc1/mano_gateway", "dc1/vnf_manager", "load_image"),
    event("dc1", 3, receive, -28, "dc1:1:1", "dc1/image_stream", "dc1/key_pool", "claim_keys"),
    event("dc1", 4, receive, 50, "dc1:1:3", "dc1/vnf_manager", "dc1/vim", "create_instance"),
    event("co", 1, receive, 0, "", "operator/#1", "co/orchestrator", "deliver_image"),
    event("co", 2, receive, 1, "co:1:1", "co/orchestrator", "co/store", "save_order"),
    event("co", 3, receive, 2, "co:1:1", "co/image_stream", "co/key_pool", "reserve_keys"),
    event("co", 4, receive, 3, "co:1:3", "co/image_stream", "co/channel", "open_channel"),
    event("co", 5, trace_kind::send, 4, "co:1:4", "co/orchestrator", "dc1/mano_gateway", "transfer_offer"),
    event("co", 6, trace_kind::note, 5, "co:1:4", "co/image_stream", "co/image_stream", "frames",
          "first frame"),
    event("co", 7, trace_kind::send, 90, "co:1:6", "co/orchestrator", "dc1/mano_gateway", "transfer_done"),
    event("co", 8, trace_kind::reply, 100, "co:1:7", "dc1/#4", "co/orchestrator", "transfer_verdict"),
  };
  return log;
}

std::string golden(const std::string& name) {
  std::ifstream in{std::string{QNFV_SOURCE_DIR} + "/tests/golden/" + name};
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

} // namespace

TEST_CASE("the chart of a delivery shows the paper's chain in its order") {
  CHECK(render_chart(delivery(), false, plain) == golden("delivery_chart.txt"));
}

TEST_CASE("an event comes after its cause, whatever the clocks say") {
  auto log = delivery();
  log.sort();
  std::vector<std::string> order;
  for (auto& x : log.events)
    order.push_back(x.id());
  auto at = [&](const char* id) { return std::find(order.begin(), order.end(), id) - order.begin(); };
  CHECK(order.size() == 12);
  CHECK(at("co:1:5") < at("dc1:1:1"));
  CHECK(at("dc1:1:1") < at("dc1:1:3"));
  CHECK(at("co:1:4") < at("co:1:5"));
}

TEST_CASE("losses and garbage in a trace are said, not hidden") {
  trace_log log;
  log.add("garbage");
  log.lost["dc1"] = 12;
  auto text = render_chart(log, false, plain);
  CHECK(text.find("12 events lost at dc1") != std::string::npos);
  CHECK(text.find("1 lines are no events") != std::string::npos);
}

TEST_CASE("the long chart has every message once") {
  auto text = render_chart(delivery(), true, plain);
  CHECK(std::count(text.begin(), text.end(), '\n') == 11); // Send and arrival are one line.
  CHECK(text.find("co/orchestrator -> dc1/mano_gateway  transfer_offer") != std::string::npos);
}

// -- reading ---------------------------------------------------------------------------------------

namespace {

std::string jsonl(const trace_log& log) {
  std::string out;
  for (auto& x : log.events)
    out += to_json(x) + "\n";
  return out;
}

} // namespace

TEST_CASE("a bad line of a trace file is named, counted, and costs only itself") {
  auto lines = jsonl(delivery());
  auto second = lines.find('\n') + 1;
  lines.insert(second, "{\"t\":1,\n");
  trace_log log;
  log.add_file(lines, "co/trace.jsonl");
  CHECK(log.events.size() == 12);
  CHECK(log.bad_lines == 1);
  REQUIRE(log.damage.size() == 1);
  CHECK(log.damage[0] == "co/trace.jsonl:2: is no trace event");
}

TEST_CASE("what a killed process was writing ends a file, wherever it was torn") {
  auto whole = to_json(delivery().events[0]) + "\n";
  for (size_t n = 0; n < whole.size(); ++n) {
    trace_log log;
    log.add_file(whole + whole.substr(0, n), "trace.jsonl");
    CHECK(log.events.size() == 1);
    CHECK(log.bad_lines == (n > 0 ? 1 : 0));
    if (n > 0)
      CHECK(log.damage.at(0) == "trace.jsonl:2: ends in the middle of an event");
  }
}

TEST_CASE("bytes of any kind are no events, and no harm") {
  std::string noise;
  for (int i = 0; i < 4096; ++i)
    noise += static_cast<char>(i * 2654435761u >> 13);
  trace_log log;
  log.add_file(noise, "noise");
  CHECK(log.events.empty());
  CHECK(log.bad_lines > 0);
  CHECK(log.damage.size() <= 20);
}

TEST_CASE("a lab's folder is read with its rotated files first") {
  test::temporary_folder folder;
  auto log = delivery();
  auto none = read_traces({folder.path()});
  REQUIRE_FALSE(none);
  CHECK(none.error().text.find("no trace file") != std::string::npos);
  std::ofstream{folder / "trace.jsonl.1"} << to_json(log.events[0]) << "\n";
  std::ofstream{folder / "trace.jsonl"} << to_json(log.events[1]) << "\n" << to_json(log.events[2]) << "\n";
  auto read = read_traces({folder.path()});
  REQUIRE(read);
  CHECK(jsonl(*read) == to_json(log.events[0]) + "\n" + to_json(log.events[1]) + "\n"
                          + to_json(log.events[2]) + "\n");
  CHECK(read_traces({folder / "nothing.jsonl"}).error().code == ec::not_found);
}

TEST_CASE("a trace is found by its order, as the last one, or by its own name") {
  auto log = delivery();
  log.events.push_back(event("co", 9, trace_kind::note, 95, "co:1:6", "co/orchestrator",
                             "co/orchestrator", "order", "order-1 streaming"));
  CHECK(log.find_trace("order-1") == "co:1:1");
  CHECK(log.find_trace("order-11").empty());
  CHECK(log.find_trace("last") == "co:1:1");
  // Refused: it got no order.
  log.events.push_back(event("co", 10, trace_kind::receive, 99, "", "operator/#2", "co/orchestrator", "deliver_image"));
  log.events.back().trace = "co:1:10";
  CHECK(log.find_trace("last") == "co:1:1");
  log.events.pop_back();
  CHECK(log.find_trace("dc1:1:4") == "dc1:1:4");
  log.keep_trace("dc1:1:4");
  CHECK(log.events.empty());
}

// -- formats ---------------------------------------------------------------------------------------

TEST_CASE("a trace exported as lines reads back, causes first, and says what was lost") {
  auto log = delivery();
  log.lost["dc1"] = 12;
  trace_log back;
  back.add_file(to_jsonl(log), "out.jsonl");
  CHECK(back.events.size() == 12);
  CHECK(back.bad_lines == 0);
  CHECK(back.lost == log.lost);
  CHECK(to_jsonl(back) == to_jsonl(log));
}

TEST_CASE("Mermaid shows the chain of Fig. 12, without times") {
  auto log = delivery();
  CHECK(to_mermaid(log, false) == golden("delivery.mmd"));
  for (auto& x : log.events)
    x.unix_ns *= 3;
  log.events.push_back(event("co", 9, trace_kind::receive, 7, "co:1:1", "co/image_stream", "co/key_pool",
                             "reserve_keys")); // Asked again.
  CHECK(to_mermaid(log, false) == golden("delivery.mmd"));
}

TEST_CASE("what would end a line of Mermaid is written as its entity") {
  trace_log log;
  log.events = {event("co", 1, trace_kind::note, 0, "", "co/link", "co/link", "alarm", "a; b #1\nc")};
  CHECK(to_mermaid(log, true).find("alarm: a#59; b #35;1 c\n") != std::string::npos);
}

TEST_CASE("what is no UTF-8 in a text is replaced: every export stays what it says to be") {
  trace_log log;
  log.add(R"({"t":1,"site":"co","epoch":1,"seq":1,"kind":"note","from":"co/orchestrator","text":"caf)"
          "\xe9"
          R"( and \udc00afé"})");
  REQUIRE(log.events.size() == 1);
  CHECK(log.events[0].text == "caf\uFFFD and \uFFFD\uFFFD\uFFFDafé");
  for (auto& json : {to_perfetto(log), to_json(log.events[0])}) {
    rapidjson::Document doc;
    doc.Parse<rapidjson::kParseValidateEncodingFlag>(json.data(), json.size());
    CHECK_FALSE(doc.HasParseError());
  }
}

TEST_CASE("Perfetto gets a process per site, a track per actor and arrows between them") {
  auto text = to_perfetto(delivery());
  CHECK(text == golden("delivery.perfetto.json"));
  rapidjson::Document doc;
  doc.Parse(text.c_str());
  REQUIRE_FALSE(doc.HasParseError());
  std::set<std::string> processes, threads;
  std::map<uint64_t, int> arrows;
  double last_end = 0;
  for (auto& x : doc["traceEvents"].GetArray()) {
    std::string phase = x["ph"].GetString();
    if (phase == "M")
      (x["tid"].GetInt() == 0 ? processes : threads).insert(x["args"]["name"].GetString());
    if (phase == "s" || phase == "f")
      ++arrows[x["id"].GetUint64()];
    if (phase == "X") {
      CHECK(x["dur"].GetDouble() >= 0);
      last_end = std::max(last_end, x["ts"].GetDouble() + x["dur"].GetDouble());
    }
  }
  CHECK(processes == std::set<std::string>{"co", "dc1"});
  CHECK(threads.count("mano_gateway") == 1);
  CHECK(arrows.size() >= 8);
  for (auto& [id, ends] : arrows)
    CHECK(ends == 2);
  CHECK(last_end >= 130'000); // 130 ms from the first event to the last.
}

TEST_CASE("the page holds the whole trace and nothing that could end its element early") {
  auto log = delivery();
  log.events[0].text = "</script><b>&amp;";
  auto page = to_html(log);
  CHECK(page.find("</script><b>") == std::string::npos);
  CHECK(page.find("\\u003c/script\\u003e") != std::string::npos);
  CHECK(page.find("@TRACE@") == std::string::npos);
  for (auto* network : {"http://", "https://", "src=", "href="})
    CHECK(page.find(network) == std::string::npos);
}

namespace {

trace_event on_wire(const std::string& how, const std::string& from, const std::string& to,
                    const std::string& protocol, const std::string& content, size_t bytes = 0) {
  return event("co", 1, trace_kind::note, 0, "", from, to, protocol,
               how + " " + std::to_string(bytes > 0 ? bytes : content.size()) + " B "
                 + to_hex(byte_view{std::string_view{content}}));
}

} // namespace

TEST_CASE("what both ends saw on the wire is one packet") {
  auto sent = on_wire("sent", "127.0.0.1:6633", "127.0.0.1:40000", "openflow", "abc");
  auto received = on_wire("received", "127.0.0.1:6633", "127.0.0.1:40000", "openflow", "abc");
  auto answer = on_wire("received", "127.0.0.1:40000", "127.0.0.1:6633", "openflow", "d");
  packet_maker packets{{sent, received, answer}};
  auto first = packets.make(sent);
  REQUIRE(first);
  CHECK_FALSE(packets.make(received));
  REQUIRE(packets.make(answer)); // The other end is no site of ours.
  auto bytes = first->content;
  REQUIRE(bytes.size() == 43);
  CHECK(bytes.substr(40) == "abc");
  uint32_t sum = 0; // RFC 791: over a good header it is all ones.
  for (size_t i = 0; i < 20; i += 2)
    sum += static_cast<uint32_t>(static_cast<uint8_t>(bytes[i]) << 8 | static_cast<uint8_t>(bytes[i + 1]));
  CHECK((sum & 0xFFFF) + (sum >> 16) == 0xFFFF);
}

TEST_CASE("packets of one direction follow each other, also where bytes were cut") {
  auto x = on_wire("sent", "[::1]:80", "[::1]:40000", "http", "abc", 1000);
  packet_maker packets{{x}};
  auto first = packets.make(x);
  auto second = packets.make(x);
  REQUIRE(first);
  REQUIRE(second);
  CHECK(first->original_bytes == 40 + 20 + 1000);
  auto number = [](const ip_packet& p) { return load_be32(reinterpret_cast<const uint8_t*>(&p.content[44])); };
  CHECK(number(*second) - number(*first) == 1000);
}

TEST_CASE("endpoints that are no addresses make no packet") {
  for (auto* bad : {"", "127.0.0.1", "127.0.0.1:", "127.0.0.1:99999", "host:80", "[::1:80", "1.2.3.4:5x"}) {
    auto x = on_wire("sent", bad, "127.0.0.1:1", "http", "a");
    CHECK_FALSE(packet_maker{{x}}.make(x));
  }
  auto mixed = on_wire("sent", "[::1]:1", "127.0.0.1:1", "http", "a");
  CHECK_FALSE(packet_maker{{mixed}}.make(mixed));
}

TEST_CASE("notes that are no pieces on a wire are records like others") {
  for (auto* text : {"", "sent", "sent x B 00", "sent 1 B", "sent 1 B zz", "sent 1 B 0000", "1 B 00"})
    CHECK_FALSE(wire_piece_of(event("co", 1, trace_kind::note, 0, "", "a", "b", "http", *text ? text : " ")));
  auto note = event("co", 1, trace_kind::note, 0, "", "co/x", "co/x", "http", "sent 1 B 00");
  CHECK_FALSE(wire_piece_of(note));
}

TEST_CASE("a capture is blocks of whole words, one per event") {
  auto log = delivery();
  log.events.push_back(on_wire("sent", "127.0.0.1:1", "127.0.0.1:2", "idq3p", "xyz"));
  auto file = to_pcapng(log);
  auto word = [&](size_t at) {
    REQUIRE(at + 4 <= file.size());
    uint32_t out = 0;
    for (int i = 3; i >= 0; --i)
      out = out << 8 | static_cast<uint8_t>(file[at + static_cast<size_t>(i)]);
    return out;
  };
  std::vector<uint32_t> types;
  for (size_t at = 0; at < file.size();) {
    auto size = word(at + 4);
    REQUIRE(size >= 12);
    REQUIRE(size % 4 == 0);
    CHECK(word(at + size - 4) == size);
    types.push_back(word(at));
    at += size;
  }
  CHECK(types.size() == 3 + 13);
  CHECK(types[0] == 0x0A0D0D0A);
}

TEST_CASE("a format nobody knows is refused with the ones there are") {
  auto x = export_trace(delivery(), "pdf", false);
  REQUIRE_FALSE(x);
  CHECK(x.error().text.find("mermaid") != std::string::npos);
}

// -- comparing -------------------------------------------------------------------------------------

TEST_CASE("two runs that differ in times and in the order between actors are alike") {
  auto other = delivery();
  for (auto& x : other.events)
    x.unix_ns = x.unix_ns * 7 + 1'000'000'000;
  std::swap(other.events[1].sequence, other.events[2].sequence);
  other.events[3].cause = "dc1:1:2";
  CHECK_FALSE(first_difference(delivery(), other, false));
}

TEST_CASE("a run that goes another way is found where it parts, with what led there") {
  auto other = delivery();
  other.events[2].message = "refuse";
  auto x = first_difference(delivery(), other, false);
  REQUIRE(x);
  REQUIRE(x->a);
  REQUIRE(x->b);
  CHECK(x->a->message == "claim_keys");
  CHECK(x->b->message == "refuse");
  CHECK(x->before.back().message == "transfer_offer");
  CHECK(x->before.front().message == "deliver_image");
  CHECK(render(*x, 2).find("... 3 events before") != std::string::npos);
}

TEST_CASE("a run that ends early is found at what it lacks") {
  auto other = delivery();
  other.events.pop_back();
  auto x = first_difference(delivery(), other, false);
  REQUIRE(x);
  CHECK(x->a->message == "transfer_verdict");
  CHECK_FALSE(x->b);
  auto y = first_difference(other, delivery(), false);
  REQUIRE(y);
  CHECK_FALSE(y->a);
  CHECK(to_json(*y, 1).find("{\"a\":null,\"b\":{") == 0);
}

TEST_CASE("fields count only if they are asked for") {
  auto other = delivery();
  other.events[4].text = "deliver_image(another)";
  CHECK_FALSE(first_difference(delivery(), other, false));
  CHECK(first_difference(delivery(), other, true));
}

// -- causality (I31) -------------------------------------------------------------------------------

TEST_CASE("a whole trace has every send for its receives") {
  auto x = check_causality(delivery());
  CHECK(x.violations == std::vector<std::string>{});
  CHECK(x.receives == 1);
  CHECK(x.paired == 1);
  CHECK(x.on_the_way == 1); // transfer_done: its receive is not recorded in this one.
  CHECK(x.missing == 0);
}

TEST_CASE("each fault of a trace is a violation") {
  SECTION("a gap that nobody counts") {
    auto log = delivery();
    log.events.erase(log.events.begin() + 5); // co:2
    CHECK(check_causality(log).violations.size() == 1);
    log.lost["co"] = 1;
    CHECK(check_causality(log).violations.empty());
    log.lost.clear();
    log.events.push_back(event("co", 2, trace_kind::note, 1, "", "", "", "", "dropped(1)"));
    CHECK(check_causality(log).violations.empty());
    log.events.back().text = "dropped(2)";
    CHECK(check_causality(log).violations.size() == 1);
  }
  SECTION("a receive without its send") {
    auto log = delivery();
    log.events.erase(log.events.begin() + 8); // co:5
    CHECK(check_causality(log).violations.size() == 2); // The gap, and what came from it.
    log.events.push_back(event("co", 5, trace_kind::note, 4, "", "", "", "", "dropped(1)"));
    auto x = check_causality(log);
    CHECK(x.violations.empty());
    CHECK(x.uncovered == 1);
  }
  SECTION("a receive that is another message than was sent") {
    auto log = delivery();
    log.events[0].message = "something_else";
    CHECK(check_causality(log).violations.size() == 1);
  }
  SECTION("a receive whose cause is no send") {
    auto log = delivery();
    log.events[0].cause = "co:1:4";
    CHECK(check_causality(log).violations.size() == 1);
  }
  SECTION("a receive that names no cause") {
    auto log = delivery();
    log.events[0].cause.clear();
    CHECK(check_causality(log).violations.size() == 1);
  }
  SECTION("a reply without its request") {
    auto log = delivery();
    log.events.back().cause.clear();
    CHECK(check_causality(log).violations.size() == 1);
  }
  SECTION("a cause after its effect") {
    auto log = delivery();
    log.events[5].cause = "co:1:4";
    CHECK(check_causality(log).violations.size() == 1);
  }
  SECTION("a circle of causes over two sites") {
    auto log = delivery();
    log.events[8].cause = "dc1:1:3";
    CHECK_FALSE(check_causality(log).violations.empty());
  }
}

namespace {

/// co was killed right after its event 8 and started again at once; its second start gives the same
/// numbers to other events.
trace_log two_starts() {
  auto log = delivery();
  for (auto x : {event("co", 1, trace_kind::note, 101, "", "co/node", "co/node", "start"),
                 event("co", 2, trace_kind::receive, 102, "co:2:1", "co/node", "co/orchestrator", "peer_up"),
                 event("co", 3, trace_kind::note, 103, "co:2:2", "co/link", "co/link", "link"),
                 event("co", 4, trace_kind::note, 104, "co:2:3", "co/link", "co/link", "link"),
                 event("co", 5, trace_kind::send, 105, "co:2:2", "co/orchestrator", "dc1/mano_gateway", "transfer_cancel")}) {
    x.epoch = 2;
    log.events.push_back(x);
  }
  log.events.push_back(event("dc1", 5, trace_kind::receive, 107, "co:2:5", "co/#12", "dc1/mano_gateway",
                             "transfer_cancel"));
  return log;
}

} // namespace

TEST_CASE("two starts of a site that gave the same numbers are told apart, whatever the clocks say") {
  auto log = two_starts();
  log.events[0].unix_ns = log.events.back().unix_ns + 1; // The offer of the first start seems to come last.
  auto x = check_causality(log);
  CHECK(x.violations == std::vector<std::string>{});
  CHECK(x.receives == 2);
  CHECK(x.paired == 2);
  CHECK(x.missing == 0);
  CHECK(log.causes().at(13) == 12); // Its own start's first event, not the delivery's.
  log.keep_trace("co:2:1");
  CHECK(log.events.empty());
}

TEST_CASE("what a killed site had not written is a cut at the end of its start, and nothing else is") {
  auto log = two_starts();
  log.events.push_back(event("dc1", 6, trace_kind::receive, 108, "co:1:9", "co/#9", "dc1/mano_gateway",
                             "transfer_done"));
  auto x = check_causality(log);
  CHECK(x.violations == std::vector<std::string>{});
  CHECK(x.cut == 1);
  CHECK(x.uncovered == 0);
  CHECK(x.absent.empty());
  SECTION("a site of which nothing is here") {
    log.events.push_back(event("dc1", 7, trace_kind::receive, 109, "dc2:1:4", "dc2/#9", "dc1/mano_gateway", "heartbeat"));
    CHECK(check_causality(log).absent == std::set<std::string>{"dc2"});
  }
  SECTION("a start of which nothing was written") {
    log.events.back().cause = "co:3:1";
    CHECK(check_causality(log).cut == 1);
  }
  SECTION("a start whose events are gone") {
    log.events.erase(log.events.begin() + 4, log.events.begin() + 12);
    auto y = check_causality(log);
    CHECK(y.violations == std::vector<std::string>{});
    CHECK(y.uncovered == 2);
  }
  SECTION("a receive whose send is missing in the middle of a start") {
    log.events.erase(log.events.begin() + 8); // co:1:5
    CHECK(check_causality(log).violations.size() == 2); // The gap, and what came from it.
  }
  SECTION("a receive that takes the send of the other start for its own") {
    log.events[0].cause = "co:2:5";
    CHECK(check_causality(log).violations.size() == 1);
  }
  SECTION("a cause of a later start") {
    log.events[5].cause = "co:2:1";
    CHECK(check_causality(log).violations.size() == 1);
  }
}

TEST_CASE("pieces on a wire are in no page and no comparison, and in a line only as their size") {
  auto log = delivery();
  auto with = log;
  with.events.push_back(on_wire("sent", "127.0.0.1:1", "127.0.0.1:2", "http", "GET / HTTP/1.1"));
  CHECK(to_html(with) == to_html(log));
  CHECK_FALSE(first_difference(with, log, true));
  auto line = render_event(with.events.back(), face_settings{});
  CHECK(line.find("http: sent 14 B") == line.size() - 15);
}
