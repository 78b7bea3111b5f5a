#include "drivers/northbound/elements.hpp"
#include "drivers/northbound/flows.hpp"

#include <catch2/catch.hpp>

#include <random>

using namespace qnfv;
using depth = flow_target::depth;

namespace {

/// As the paper's orchestrator sends it.
const std::string flow_json =
  R"({"installInHw":"true","name":"xc-1-25","node":{"type":"OF","id":"00:00:00:00:00:00:05:1e"},)"
  R"("ingressPort":"1","priority":"500","actions":["OUTPUT=25"]})";
const std::string flow_xml =
  R"(<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<flowConfig>
  <installInHw>true</installInHw>
  <name>xc-1-25</name>
  <node><id>00:00:00:00:00:00:05:1e</id><type>OF</type></node>
  <ingressPort>1</ingressPort> <priority>500</priority> <etherType/>
  <actions>OUTPUT=25</actions>
</flowConfig>
)";
const std::string path =
  std::string{northbound_prefix} + "/default/node/OF/00:00:00:00:00:00:05:1e/staticFlow/xc-1-25";

std::string with(std::string text, const std::string& part, const std::string& instead) {
  auto at = text.find(part);
  REQUIRE(at != std::string::npos);
  return text.replace(at, part.size(), instead);
}

} // namespace

TEST_CASE("a path names a container, a node or a flow") {
  auto x = parse_flow_target(path);
  CHECK(x.level == depth::flow);
  CHECK(x.container == "default");
  CHECK(x.type == "OF");
  CHECK(x.id == "00:00:00:00:00:00:05:1e");
  CHECK(x.name == "xc-1-25");
  CHECK(parse_flow_target(with(path, "00:05", "00%3A05")).id == x.id);
  CHECK(parse_flow_target(std::string{northbound_prefix} + "/default").level == depth::container);
  CHECK(parse_flow_target(std::string{northbound_prefix} + "/default/node/OF/1").level
        == depth::node);
}

TEST_CASE("a name that is not UTF-8 is refused: nobody could list it") {
  CHECK(parse_flow_xml(with(flow_xml, "xc-1-25", "Z\xc3\xbcrich")));
  for (auto* bad : {"\x87", "Z\xfcrich", "\xe2\x82", "\xed\xa0\x80"}) {
    CHECK_FALSE(parse_flow_xml(with(flow_xml, "xc-1-25", bad)));
    CHECK_FALSE(parse_flow_json(with(flow_json, "xc-1-25", bad)));
  }
}

TEST_CASE("what is no such path is none") {
  std::string p = northbound_prefix;
  for (auto& x : {std::string{}, std::string{"/"}, p, p + "/", p + "x/default", p + "/default/",
                  p + "//node/OF/1", p + "/default/node", p + "/default/node/OF",
                  p + "/default/nodes/OF/1", path + "/", path + "/more",
                  with(path, "staticFlow", "flow"), p + "/%zz", p + "/%0", p + "/%00"})
    CHECK(parse_flow_target(x).level == depth::none);
}

TEST_CASE(
  "a flow reads the same in JSON and in XML, and prints as the paper's orchestrator sent it") {
  for (auto& parsed : {parse_flow_json(flow_json), parse_flow_xml(flow_xml)}) {
    INFO((parsed ? "" : parsed.error().text));
    REQUIRE(parsed);
    CHECK(parsed->name == "xc-1-25");
    CHECK(parsed->type == "OF");
    CHECK(parsed->id == "00:00:00:00:00:00:05:1e");
    CHECK(parsed->ingress == 1);
    CHECK(parsed->egress == 25);
    CHECK(parsed->priority == 500);
    CHECK(parsed->install);
    CHECK(print_flow(*parsed) == flow_json);
    CHECK(print_flows({*parsed}) == "{\"flowConfig\":[" + flow_json + "]}");
  }
}

TEST_CASE("numbers and truth values need no quotes, and matches of packets are ignored") {
  auto x = parse_flow_json(
    R"({"installInHw":false,"name":"a","node":{"type":"OF","id":"x"},"etherType":"0x800",)"
    R"("nwSrc":"10.0.0.1","ingressPort":3,"priority":7,"actions":"OUTPUT=4"})");
  REQUIRE(x);
  CHECK_FALSE(x->install);
  CHECK(x->ingress == 3);
  CHECK(x->egress == 4);
  CHECK(x->priority == 7);
}

TEST_CASE("what is no flow of light is refused") {
  for (auto& x :
       {std::string{}, std::string{"{"}, std::string{"[]"}, std::string{"{}"},
        with(flow_json, R"("type":"OF",)", ""),
        with(flow_json, R"(,"id":"00:00:00:00:00:00:05:1e")", ""),
        with(flow_json, R"("ingressPort":"1")", R"("ingressPort":"0")"),
        with(flow_json, R"("ingressPort":"1")", R"("ingressPort":"65536")"),
        with(flow_json, R"("ingressPort":"1")", R"("ingressPort":"1a")"),
        with(flow_json, R"("ingressPort":"1",)", ""), with(flow_json, R"("500")", R"("-1")"),
        with(flow_json, R"("true")", R"("yes")"), with(flow_json, "OUTPUT=25", "OUTPUT=25,26"),
        with(flow_json, "OUTPUT=25", "DROP"), with(flow_json, "OUTPUT=25", "OUTPUT="),
        with(flow_json, "OUTPUT=25", "OUTPUT=0"),
        with(flow_json, R"("OUTPUT=25")", R"("OUTPUT=25","OUTPUT=26")"),
        with(flow_json, R"("OUTPUT=25")", "")}) {
    INFO(x);
    CHECK_FALSE(parse_flow_json(x));
  }
}

TEST_CASE("XML that is none, or more than elements, is refused") {
  for (auto* x : {"",
                  "x",
                  "<a>",
                  "</a>",
                  "<a></b>",
                  "<a><b></a></b>",
                  "<a/><b/>",
                  "<a/>x",
                  "x<a/>",
                  "<a>x<b/></a>",
                  "<a><b/>x</a>",
                  "<a>&x;</a>",
                  "<a>&#65;</a>",
                  "<a>&</a>",
                  "<!DOCTYPE a><a/>",
                  "<!-- x --><a/>",
                  "<a><![CDATA[x]]></a>",
                  "<a b='>'",
                  "<>",
                  "< a/>",
                  "<a\x01/>",
                  "<?xml version='1.0'"}) {
    INFO(x);
    CHECK_FALSE(parse_elements(x));
  }
  std::string deep;
  for (size_t i = 0; i <= xml_depth_max; ++i)
    deep += "<a>";
  CHECK_FALSE(parse_elements(deep));
  CHECK_FALSE(parse_elements(std::string(1u << 20, '<')));
  std::string many = "<a>";
  for (size_t i = 0; i <= xml_leaves_max; ++i)
    many += "<b/>";
  CHECK_FALSE(parse_elements(many + "</a>"));
}

TEST_CASE("XML leaves come in their order, decoded") {
  auto x = parse_elements("<a x='>'><b> 1 &lt;&amp;&gt; 2 </b><c/><d><e>&quot;&apos;</e></d></a>");
  REQUIRE(x);
  REQUIRE(x->size() == 3);
  CHECK((*x)[0].path == "/a/b");
  CHECK((*x)[0].text == "1 <&> 2");
  CHECK((*x)[1].text.empty());
  CHECK((*x)[2].path == "/a/d/e");
  CHECK((*x)[2].text == "\"'");
}

TEST_CASE("each failure of the controller has its status") {
  CHECK(northbound_status(ec::busy) == 409);
  CHECK(northbound_status(ec::already_exists) == 409);
  CHECK(northbound_status(ec::not_found) == 404);
  CHECK(northbound_status(ec::invalid_argument) == 400);
  CHECK(northbound_status(ec::site_unreachable) == 503);
  CHECK(northbound_status(ec::maybe_executed) == 503);
  for (auto x : {ec::device_failed, ec::internal, ec::stale_epoch, ec::not_allowed})
    CHECK(northbound_status(x) == 500);
}

TEST_CASE("any bytes are a flow or refused") {
  std::mt19937 random{7};
  size_t flows = 0;
  for (int i = 0; i < 50000; ++i) {
    auto text = i % 3 == 0 ? flow_json : i % 3 == 1 ? flow_xml : path;
    for (auto n = random() % 3; n > 0; --n)
      text[random() % text.size()] = static_cast<char>(random());
    for (auto& x : {parse_flow_json(text), parse_flow_xml(text)})
      if (x) {
        ++flows;
        REQUIRE(x->ingress > 0);
        REQUIRE(x->egress > 0);
      }
    parse_flow_target(text);
  }
  CHECK(flows > 10000);
}
