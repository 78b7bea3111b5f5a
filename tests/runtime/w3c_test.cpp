#include "runtime/tracing/w3c.hpp"

#include <catch2/catch.hpp>

#include <set>

using namespace qnfv;

namespace {

// The example of the recommendation, 3.2.3.
const std::string trace_id = "4bf92f3577b34da6a3ce929d0e0e4736";
const std::string parent_id = "00f067aa0ba902b7";
const std::string example = "00-" + trace_id + "-" + parent_id + "-01";

const event_id begun{"co", 1, 3}, handled{"dc1", 2, 17};

event_id of_others(const std::string& digits) {
  return parse_event_id(digits).value();
}

bool is_none(const std::string& traceparent) {
  return !from_w3c({traceparent, "qnfv=co:1:1/co:1:2"}, "lab");
}

} // namespace

TEST_CASE("a context comes back from its headers at a site of the same lab") {
  for (auto& x : {trace_context{begun, handled}, trace_context{{}, handled},
                  trace_context{of_others(trace_id), handled}, trace_context{of_others(trace_id), of_others(parent_id)}}) {
    auto headers = to_w3c(x, "lab");
    CHECK(headers.traceparent.size() == 55);
    auto back = from_w3c(headers, "lab");
    CHECK(back.trace == x.trace);
    CHECK(back.cause == x.cause);
  }
}

TEST_CASE("another lab sees ids, and never takes our names for its own") {
  auto headers = to_w3c({begun, handled}, "lab");
  auto there = from_w3c(headers, "other");
  CHECK(to_string(there.trace) == headers.traceparent.substr(3, 32));
  CHECK(to_string(there.cause) == headers.traceparent.substr(36, 16));
  // What it hands on is still the same trace.
  CHECK(to_w3c(there, "other").traceparent == headers.traceparent);
}

TEST_CASE("different names have different ids") {
  std::set<std::string> traces, parents;
  for (int site = 0; site < 10; ++site)
    for (uint64_t n = 1; n <= 1000; ++n) {
      event_id name{"s" + std::to_string(site), 1, n};
      auto text = to_w3c({name, name}, "lab").traceparent;
      traces.insert(text.substr(3, 32));
      parents.insert(text.substr(36, 16));
    }
  CHECK(traces.size() == 10000);
  CHECK(parents.size() == 10000);
}

TEST_CASE("a foreign trace keeps its ids") {
  auto x = from_w3c({example, ""}, "lab");
  CHECK(to_string(x.trace) == trace_id);
  CHECK(to_string(x.cause) == parent_id);
  CHECK(to_w3c(x, "lab").traceparent == example);
}

TEST_CASE("names that do not fit the ids are not believed") {
  auto ours = to_w3c({begun, handled}, "lab");
  for (auto* state : {"", "qnfv=", "qnfv=co:1:3", "qnfv=/", "qnfv=co:1:3/", "qnfv=co:1:3/dc1:2:18", "qnfv=co:1:3/dc1:1:17",
                      "qnfv=co:1:4/dc1:2:17", "other=co:1:3/dc1:2:17", "qnfv=co:1:3/dc1:2:17/x",
                      "QNFV=co:1:3/dc1:2:17", "qnfv=co:3/dc1:17", ",,=,;"}) {
    INFO(state);
    CHECK(to_string(from_w3c({ours.traceparent, state}, "lab").trace) == ours.traceparent.substr(3, 32));
  }
  CHECK(from_w3c({ours.traceparent, "a=b,\tqnfv=co:1:3/dc1:2:17 ,c=d"}, "lab").trace == begun);
}

TEST_CASE("a malformed traceparent is none") {
  CHECK_FALSE(is_none(example));
  for (size_t size = 0; size < example.size(); ++size)
    CHECK(is_none(example.substr(0, size)));
  for (size_t at = 0; at < example.size(); ++at)
    for (char c : {'x', 'A', ' ', '\0', '/'}) {
      auto text = example;
      text[at] = c;
      CHECK(is_none(text));
    }
  CHECK(is_none("ff" + example.substr(2)));
  CHECK(is_none("00-" + std::string(32, '0') + "-" + parent_id + "-01"));
  CHECK(is_none("00-" + trace_id + "-" + std::string(16, '0') + "-01"));
  CHECK(is_none(example + "-00"));
  CHECK(is_none(example + " "));
  auto ours_as_trace = std::string(10, 's') + ":4294967295:1234567890", ours_as_parent = std::string{"co:1:12345678901"};
  REQUIRE(parse_event_id(ours_as_trace));
  REQUIRE(parse_event_id(ours_as_parent));
  CHECK(is_none("00-" + ours_as_trace + "-" + parent_id + "-01"));
  CHECK(is_none("00-" + trace_id + "-" + ours_as_parent + "-01"));
}

TEST_CASE("a later version is read as far as this one goes") {
  auto later = "cc" + example.substr(2);
  CHECK_FALSE(is_none(later));
  CHECK_FALSE(is_none(later + "-what-comes"));
  CHECK(is_none(later + "."));
}

TEST_CASE("a context without a cause has no headers") {
  for (auto& x : {trace_context{}, trace_context{begun, {}}}) {
    CHECK(to_w3c(x, "lab").traceparent.empty());
    CHECK(to_w3c(x, "lab").tracestate.empty());
  }
}

TEST_CASE("an id is an event's name or what others say, and nothing else") {
  for (std::string x : {"co:1:3", "00f067aa0ba902b7", "4bf92f3577b34da6a3ce929d0e0e4736"})
    CHECK(to_string(parse_event_id(x).value()) == x);
  for (std::string x : {"co", "co:3", "co:0:3", "co:1:0", "co:01:3", "co:1:03", ":1:3", "co:1:3x", "c,o:1:3", "c\r\n:1:3", "4BF92F3577B34DA6",
                        "0000000000000000", "00f067aa0ba902b", "00f067aa0ba902b7f"}) {
    INFO(x);
    CHECK_FALSE(parse_event_id(x));
  }
}
