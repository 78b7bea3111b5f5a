// ETSI GS QKD 014 as a client reads it; Key1 of the paper's capture is the key of the examples.

#include "drivers/qkd_etsi014/kme_codec.hpp"
#include "runtime/system/random.hpp"

#include <catch2/catch.hpp>

#include <map>

using namespace qnfv;

namespace {

const std::string key1 = "063c394625fb316d899e849265ca04b25fbd3eaf12cf51a48871f9c7a548ae40";
const std::string one_key = R"({"keys":[{"key_ID":"6427c6cb-408c-5fb6-aa93-091a6eb3026a",)"
                            R"("key":"Bjw5RiX7MW2JnoSSZcoEsl+9Pq8Sz1GkiHH5x6VIrkA="}]})";
const std::string full_status =
  R"({"source_KME_ID":"AAAABBBBCCCCDDDD","target_KME_ID":"EEEEFFFFGGGGHHHH",)"
  R"("master_SAE_ID":"a","slave_SAE_ID":"b","key_size":352,"stored_key_count":25000,)"
  R"("max_key_count":100000,"max_key_per_request":128,"max_key_size":1024,"min_key_size":64,)"
  R"("max_SAE_ID_count":0,"status_extension":{"x":[1,2]}})";

secret body(const std::string& x) {
  return secret{byte_view{x}};
}

std::string with(std::string text, const std::string& from, const std::string& to) {
  auto at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

std::string container_problem(const std::string& x, size_t keys_max = 10) {
  auto out = parse_key_container(body(x), keys_max);
  if (out)
    return "";
  CHECK(out.error().code == ec::device_failed);
  return out.error().text;
}

} // namespace

TEST_CASE("a status gives what a client needs") {
  auto x = parse_kme_status(body(full_status));
  REQUIRE(x);
  CHECK(x->stored_keys == 25000);
  CHECK(x->keys_per_request == 128);
  CHECK(x->has_our_size());
  // What is left out does no harm.
  x = parse_kme_status(body("{}"));
  REQUIRE(x);
  CHECK(x->keys_per_request == 1);
  CHECK(x->has_our_size());
  CHECK_FALSE(
    parse_kme_status(body(R"({"min_key_size":512,"max_key_size":1024})"))->has_our_size());
  CHECK(parse_kme_status(body(R"({"stored_key_count":99999999999})"))->stored_keys == UINT32_MAX);
  for (auto* bad : {"", "[]", "5", "{", R"({"stored_key_count":"5"})", R"({"stored_key_count":-1})",
                    R"({"max_key_per_request":1.5})", R"({"min_key_size":null})"}) {
    INFO(bad);
    CHECK(parse_kme_status(body(bad)).error().code == ec::device_failed);
  }
}

TEST_CASE("the standard's container, under both of its names, with anything else in it") {
  for (auto& text :
       {one_key, with(one_key, "keys", "Keys"),
        with(one_key, "{\"keys\"", "{\"key_container_extension\":{\"a\":[{}]},\"keys\""),
        with(one_key, "\"}]", "\",\"key_extension\":{},\"vendor\":null}]"),
        with(one_key, "Bjw5", "\\u0042jw5"), "  " + one_key + "\n"}) {
    INFO(text);
    auto x = parse_key_container(body(text), 1);
    REQUIRE(x);
    REQUIRE(x->size() == 1);
    CHECK(x->front().name == "6427c6cb-408c-5fb6-aa93-091a6eb3026a");
    CHECK(to_hex(x->front().bits.view()) == key1);
  }
  auto none = parse_key_container(body(R"({"keys":[]})"), 1);
  REQUIRE(none);
  CHECK(none->empty());
}

TEST_CASE("what is no container says why, and never quotes it") {
  const std::string two = with(one_key, "]}", ",{\"key_ID\":\"x\",\"key\":\"Bjw5\"}]}");
  CHECK(container_problem("").find("no JSON") != std::string::npos);
  CHECK(container_problem(one_key.substr(0, 90)).find("no JSON") != std::string::npos);
  CHECK(container_problem(one_key + "x").find("no JSON") != std::string::npos);
  CHECK(container_problem(one_key + std::string(1, '\0')).find("no JSON") != std::string::npos);
  CHECK(container_problem("[" + one_key + "]").find("no JSON object") != std::string::npos);
  CHECK(container_problem("{}").find("no list") != std::string::npos);
  CHECK(container_problem(R"({"keys":{}})").find("no list") != std::string::npos);
  CHECK(container_problem(R"({"KEYS":[]})").find("no list") != std::string::npos);
  CHECK(container_problem(one_key, 0).find("1 keys where 0") != std::string::npos);
  CHECK(container_problem(R"({"keys":[5]})").find("key 0 is no object") != std::string::npos);
  CHECK(container_problem(R"({"keys":[{"key":"Bjw5"}]})").find("no key_ID") != std::string::npos);
  CHECK(container_problem(R"({"keys":[{"key_ID":"x"}]})").find("no key") != std::string::npos);
  CHECK(container_problem(R"({"keys":[{"key_ID":5,"key":"Bjw5"}]})").find("no key_ID")
        != std::string::npos);
  CHECK(container_problem(with(one_key, "6427", "64\\n27")).find("key_ID that is none")
        != std::string::npos);
  CHECK(container_problem(with(one_key, "6427", std::string(64, 'x'))).find("key_ID that is none")
        != std::string::npos);
  CHECK(container_problem(two).find("key 1 has 24 bits") != std::string::npos);
  for (auto* bad : {"Bjw!", "Bj w", "-_5R"})
    CHECK(container_problem(with(one_key, "Bjw5", bad)).find("not Base64") != std::string::npos);
  CHECK(container_problem(with(one_key, "rkA=", "rkB=")).find("not Base64") != std::string::npos);
  CHECK(container_problem(with(one_key, "rkA=", "rkA")).find("not Base64") != std::string::npos);
  auto again = one_key.substr(9, one_key.size() - 11);
  CHECK(container_problem(with(one_key, "]}", "," + again + "]}")).find("of another one")
        != std::string::npos);
  CHECK(container_problem("{\"keys\":\"\xf0").find("no JSON") != std::string::npos);
  CHECK(container_problem(std::string(100000, '[')).find("no JSON") != std::string::npos);
}

TEST_CASE("a refusal is told in the KME's words, whatever it looks like") {
  CHECK(kme_message(body(R"({"message":"size shall be a multiple of 8","details":[]})"))
        == "size shall be a multiple of 8");
  CHECK(kme_message(body(R"({"detail":"Not enough keys"})")) == "Not enough keys");
  CHECK(kme_message(body(R"({"detail":[{"loc":["body"],"msg":"x"}],"error":"y"})")) == "y");
  CHECK(kme_message(body(R"({"message":"a\n\u00e4"})")) == "a???");
  CHECK(kme_message(body("{\"message\":\"" + std::string(500, 'x') + "\"}")).size() == 200);
  for (auto* none : {"", "<html>", "null", "[1]", "\"text\"", "{\"message\":5}"})
    CHECK(kme_message(body(none)).empty());
}

TEST_CASE("requests are the standard's") {
  CHECK(kme_path("sae-b", "status") == "/api/v1/keys/sae-b/status");
  CHECK(kme_path("a b/\xc3\xa4%", "enc_keys") == "/api/v1/keys/a%20b%2F%C3%A4%25/enc_keys");
  CHECK(enc_keys_body(3) == R"({"number":3,"size":256})");
  CHECK(dec_keys_body({"a", "q\"\\"}) == R"({"key_IDs":[{"key_ID":"a"},{"key_ID":"q\"\\"}]})");
  CHECK(dec_keys_body({}) == R"({"key_IDs":[]})");
}

TEST_CASE("100000 mutated bodies are values or errors, and no value is half a key") {
  auto random = make_seeded_random(14);
  auto two = with(one_key, "]}",
                  R"(,{"key_ID":"x","key":"Bjw5RiX7MW2JnoSSZcoEsl+9Pq8Sz1GkiHH5x6VIrkA="}]})");
  const std::string seeds[] = {one_key, two, full_status, R"({"message":"no","details":[]})"};
  const std::string pieces[] = {"\"",
                                "{",
                                "}",
                                "[",
                                "]",
                                ",",
                                ":",
                                "\\",
                                "\\u0000",
                                "null",
                                "-1",
                                "1e999",
                                "keys",
                                "Keys",
                                "key_ID",
                                "=",
                                std::string(1, '\0'),
                                "\xff"};
  std::map<std::string, int> seen;
  for (int i = 0; i < 100000; ++i) {
    auto text = seeds[random->next() % 4];
    for (auto n = random->next() % 4; n > 0; --n) {
      auto at = random->next() % text.size();
      switch (random->next() % 4) {
      case 0:
        text[at] = static_cast<char>(random->next());
        break;
      case 1:
        text.insert(at, pieces[random->next() % std::size(pieces)]);
        break;
      case 2:
        text.erase(at, 1 + random->next() % 10);
        break;
      default:
        text.insert(at, text.substr(random->next() % text.size(), random->next() % 30));
      }
      if (text.empty())
        text = "{";
    }
    auto keys = parse_key_container(body(text), 2);
    auto status = parse_kme_status(body(text));
    auto message = kme_message(body(text));
    ++seen[keys ? std::to_string(keys->size()) + " keys" : keys.error().text];
    if (keys)
      for (auto& x : *keys)
        if (x.bits.size() != 32 || !good_key_name(x.name))
          FAIL("half a key from " << text);
    if ((!keys && keys.error().code != ec::device_failed)
        || (!status && status.error().code != ec::device_failed) || message.size() > 200)
      FAIL("a strange verdict on " << text);
    if (!keys && keys.error().text.find("Bjw5") != std::string::npos)
      FAIL("an error that quotes a key");
  }
  CHECK(seen.size() > 10);
  CHECK(seen["1 keys"] > 1000);
}
