#include "drivers/etsi014/codec.hpp"

#include <catch2/catch.hpp>

using namespace qnfv;

namespace {

// Key1 of Aguado et al. (2016) and the exchange that ETSI GS QKD 014 describes.
const std::string key1_id = "6427c6cb-408c-5fb6-aa93-091a6eb3026a";
const std::string key1 = "063c394625fb316d899e849265ca04b25fbd3eaf12cf51a48871f9c7a548ae40";
const std::string key1_container = R"({"keys":[{"key_ID":"6427c6cb-408c-5fb6-aa93-091a6eb3026a",)"
                                   R"("key":"Bjw5RiX7MW2JnoSSZcoEsl+9Pq8Sz1GkiHH5x6VIrkA="}]})";
const std::string not_found = "one or more keys specified are not found on KME";

std::string text(const secret& x) {
  return {x.view().begin(), x.view().end()};
}

secret bits(const std::string& hex) {
  return secret{byte_view{*from_hex(hex)}};
}

key_id id_of(const std::string& x) {
  return {*parse_uuid(x)};
}

etsi014_call call(const std::string& method, const std::string& path, const std::string& body = "",
                  const etsi014_compat& compat = {}) {
  http_request x;
  x.method = method;
  x.target = path;
  x.body = body;
  return parse_call(x, compat);
}

draw_keys drawn(const etsi014_call& x) {
  REQUIRE(std::holds_alternative<draw_keys>(x));
  return std::get<draw_keys>(x);
}

fetch_keys fetched(const etsi014_call& x) {
  REQUIRE(std::holds_alternative<fetch_keys>(x));
  return std::get<fetch_keys>(x);
}

/// "400 the message", or "" if the call was understood.
std::string refused(const etsi014_call& x) {
  auto* error = std::get_if<etsi014_error>(&x);
  return error ? std::to_string(error->status) + " " + error->message : "";
}

std::string enc(const std::string& body) {
  return refused(call("POST", "/api/v1/keys/mano-gw-1/enc_keys", body));
}

std::string dec(const std::string& body) {
  return refused(call("POST", "/api/v1/keys/nfv-co/dec_keys", body));
}

} // namespace

TEST_CASE("the worked exchange: a key is drawn, answered and fetched by its id") {
  auto draw = drawn(call("POST", "/api/v1/keys/mano-gw-1/enc_keys", R"({"number":1,"size":256})"));
  CHECK(draw.slave == "mano-gw-1");
  CHECK(draw.number == 1);
  CHECK(draw.size_bits == 256);
  CHECK(draw.additional_slaves.empty());
  key_grants grants;
  grants.keys.push_back({id_of(key1_id), bits(key1), {}});
  auto response = answer(grants);
  CHECK(response.status == 200);
  CHECK(response.content_type == "application/json");
  CHECK(text(response.body) == key1_container);
  for (auto& x : {call("GET", "/api/v1/keys/nfv-co/dec_keys?key_ID=" + key1_id),
                  call("POST", "/api/v1/keys/nfv-co/dec_keys",
                       R"({"key_IDs":[{"key_ID":")" + key1_id + R"("}]})")}) {
    auto fetch = fetched(x);
    CHECK(fetch.master == "nfv-co");
    CHECK(fetch.keys == std::vector<key_id>{id_of(key1_id)});
  }
}

TEST_CASE("a container reads back, with both spellings of its array") {
  key_grants grants;
  grants.keys.push_back({id_of(key1_id), bits(key1), {}});
  grants.keys.push_back({id_of("6427c6cb-408c-5fb6-aa93-091a6eb3026b"),
                         bits("00ff"),
                         {site_id{"n1"}, site_id{"n2"}}});
  auto body = answer(grants).body;
  CHECK(text(body).find(R"("key_extension":{"qnfv_exposed_to":["n1","n2"]})") != std::string::npos);
  auto old_spelling = text(body).replace(2, 4, "Keys");
  for (auto& x : {body, secret{byte_view{old_spelling}}}) {
    auto back = parse_key_container(x);
    REQUIRE(back);
    REQUIRE(back->keys.size() == 2);
    CHECK(back->keys[0].id == id_of(key1_id));
    CHECK(to_hex(back->keys[0].material.view()) == key1);
    CHECK(back->keys[0].exposed_to.empty());
    CHECK(to_hex(back->keys[1].material.view()) == "00ff");
    CHECK(back->keys[1].exposed_to == std::vector<site_id>{site_id{"n1"}, site_id{"n2"}});
  }
}

TEST_CASE("an empty container is one") {
  auto body = answer(key_grants{}).body;
  CHECK(text(body) == R"({"keys":[]})");
  REQUIRE(parse_key_container(body));
}

TEST_CASE("what is no container is refused") {
  auto body = GENERATE(as<std::string>{}, "", "{}", "[]", "{\"keys\":1}", "{\"keys\":[1]}",
                       "{\"keys\":[{}]}", "{\"keys\":[{\"key_ID\":\"x\",\"key\":\"AA==\"}]}",
                       "{\"keys\":[{\"key_ID\":\"6427c6cb-408c-5fb6-aa93-091a6eb3026a\"}]}",
                       "{\"keys\":[{\"key_ID\":\"6427c6cb-408c-5fb6-aa93-091a6eb3026a\","
                       "\"key\":\"AA=\"}]}",
                       "{\"keys\":[],\"keys\":[]}", "{\"keys\":[]} ,");
  CAPTURE(body);
  auto x = parse_key_container(secret{byte_view{body}});
  REQUIRE_FALSE(x);
  CHECK(x.error().code == ec::invalid_argument);
}

TEST_CASE("any cut container is a value or an error") {
  for (size_t n = 0; n < key1_container.size(); ++n)
    CHECK_FALSE(parse_key_container(secret{byte_view{key1_container.substr(0, n)}}));
}

TEST_CASE("one key of the default size is meant if nothing is said") {
  for (auto& x :
       {call("GET", "/api/v1/keys/b/enc_keys"), call("GET", "/api/v1/keys/b/enc_keys?"),
        call("POST", "/api/v1/keys/b/enc_keys"), call("POST", "/api/v1/keys/b/enc_keys", "{}")}) {
    CHECK(drawn(x).number == 1);
    CHECK(drawn(x).size_bits == 256);
  }
  etsi014_compat strict;
  strict.post_without_body = false;
  CHECK(refused(call("POST", "/api/v1/keys/b/enc_keys", "", strict)) == "400 a POST has a body");
  CHECK(refused(call("POST", "/api/v1/keys/b/enc_keys", "{}", strict)).empty());
}

TEST_CASE("number and size are parameters of a GET, or members of a POST") {
  auto get = drawn(call("GET", "/api/v1/keys/b/enc_keys?number=3&size=1024"));
  CHECK(get.number == 3);
  CHECK(get.size_bits == 1024);
  auto post = drawn(call("POST", "/api/v1/keys/b/enc_keys",
                         R"({"size":64,"number":128,"additional_slave_SAE_IDs":["c","d"]})"));
  CHECK(post.number == 128);
  CHECK(post.size_bits == 64);
  CHECK(post.additional_slaves == std::vector<std::string>{"c", "d"});
  // Too large for us is for the key server to say.
  CHECK(drawn(call("GET", "/api/v1/keys/b/enc_keys?number=99999999999")).number == UINT32_MAX);
  CHECK(drawn(call("POST", "/api/v1/keys/b/enc_keys", R"({"number":18446744073709551615})")).number
        == UINT32_MAX);
}

TEST_CASE("a bad GET for keys says what is wrong") {
  auto get = [](const std::string& query) {
    return refused(call("GET", "/api/v1/keys/b/enc_keys?" + query));
  };
  CHECK(get("number=x") == "400 number shall be a whole number");
  CHECK(get("number=") == "400 number shall be a whole number");
  CHECK(get("number") == "400 number shall be a whole number");
  CHECK(get("size=-8") == "400 size shall be a whole number");
  CHECK(get("size=8.0") == "400 size shall be a whole number");
  CHECK(get("size=8&size=8") == "400 size is there twice");
  CHECK(get("additional_slave_SAE_IDs=c")
        == "400 only number and size are parameters of a GET; anything else needs a POST");
  CHECK(get("number=%3") == "400 the parameters are not URL-encoded");
  CHECK(get("&number=%31&&size=%38").empty());
  CHECK(refused(call("POST", "/api/v1/keys/b/enc_keys?number=2", "{}"))
        == "400 a POST has its parameters in the body");
}

TEST_CASE("a bad body says what is wrong") {
  CHECK(enc("{") == "400 the body is not JSON");
  CHECK(enc("{} {}") == "400 the body is not JSON");
  CHECK(enc("// no comments\n{}") == "400 the body is not JSON");
  CHECK(enc("{\"number\":NaN}") == "400 the body is not JSON");
  CHECK(enc("{\"a\":\"\xff\"}") == "400 the body is not JSON");
  CHECK(enc(R"({"a":"\udc00"})") == "400 the body has half a character");
  CHECK(enc(R"({"\udc00":1})") == "400 the body has half a character");
  CHECK(enc("[]") == "400 the body is not a JSON object");
  CHECK(enc("null") == "400 the body is not a JSON object");
  CHECK(enc(R"({"number":1,"number":2})") == "400 the body has a member twice");
  CHECK(enc(R"({"x":[{"a":1,"b":2,"a":3}]})") == "400 the body has a member twice");
  CHECK(enc(R"({"number":"1"})") == "400 number shall be a whole number");
  CHECK(enc(R"({"number":1.5})") == "400 number shall be a whole number");
  CHECK(enc(R"({"number":-1})") == "400 number shall be a whole number");
  CHECK(enc(R"({"size":null})") == "400 size shall be a whole number");
  CHECK(enc(R"({"additional_slave_SAE_IDs":"c"})")
        == "400 additional_slave_SAE_IDs shall be an array");
  CHECK(enc(R"({"additional_slave_SAE_IDs":[1]})")
        == "400 additional_slave_SAE_IDs shall hold SAE ids");
  CHECK(enc(R"({"extension_mandatory":{}})") == "400 extension_mandatory shall be an array");
  CHECK(enc(R"({"extension_optional":1})") == "400 extension_optional shall be an array");
}

TEST_CASE("depth is bounded, and the bound is exact") {
  auto nested = [](size_t levels) {
    return R"({"x":)" + std::string(levels - 1, '[') + std::string(levels - 1, ']') + "}";
  };
  CHECK(enc(nested(32)).empty());
  CHECK(enc(nested(33)) == "400 the body has more than 32 levels");
  CHECK(enc(nested(30000)) == "400 the body has more than 32 levels");
}

TEST_CASE("mandatory extensions are refused with the standard's words, optional ones are not") {
  CHECK(enc(R"({"extension_mandatory":[{"abc_route":"direct"}]})")
        == "400 not all extension_mandatory parameters are supported");
  CHECK(enc(R"({"extension_mandatory":[]})").empty());
  CHECK(enc(R"({"extension_optional":[{"abc_route":"direct"}]})").empty());
  CHECK(enc(R"({"something":{"else":[1,2,3]},"master_SAE_ID":"x"})").empty());
}

TEST_CASE("several keys are fetched by a POST, with members that nobody knows") {
  auto x = fetched(call(
      "POST", "/api/v1/keys/nfv-co/dec_keys",
      R"({"key_IDs":[{"key_ID":")" + key1_id
          + R"(","master_SAE_ID":"nfv-co"},{"key_ID":"00000000-0000-0000-0000-000000000001"}],"a":1})"));
  CHECK(x.keys.size() == 2);
  CHECK(x.keys[0] == id_of(key1_id));
}

TEST_CASE("bad key ids say what is wrong") {
  CHECK(dec("") == "400 the body is not JSON");
  CHECK(dec("{}") == "400 key_IDs shall be an array");
  CHECK(dec(R"({"key_IDs":{}})") == "400 key_IDs shall be an array");
  CHECK(dec(R"({"key_IDs":["x"]})") == "400 key_IDs shall hold objects with a key_ID");
  CHECK(dec(R"({"key_IDs":[{"key_ID":7}]})") == "400 key_IDs shall hold objects with a key_ID");
  CHECK(dec(R"({"key_IDs":[{"key_ID":"7"}]})") == "400 key_ID shall be a UUID");
  auto get = [](const std::string& query) {
    return refused(call("GET", "/api/v1/keys/a/dec_keys" + query));
  };
  CHECK(get("") == "400 a GET names one key by key_ID; anything else needs a POST");
  CHECK(get("?key_ID=" + key1_id + "&key_ID=" + key1_id)
        == "400 a GET names one key by key_ID; anything else needs a POST");
  CHECK(get("?key_id=" + key1_id)
        == "400 a GET names one key by key_ID; anything else needs a POST");
  CHECK(get("?key_ID=1") == "400 key_ID shall be a UUID");
}

TEST_CASE("SAE ids in the path are URL-decoded") {
  CHECK(drawn(call("GET", "/api/v1/keys/mano%2Dgw%2d1/enc_keys")).slave == "mano-gw-1");
  CHECK(drawn(call("GET", "/api/v1/keys/a%2Fb+c/enc_keys")).slave == "a/b+c");
  CHECK(refused(call("GET", "/api/v1/keys/a%2/enc_keys")).rfind("400 the SAE id", 0) == 0);
  CHECK(refused(call("GET", "/api/v1/keys/a%zz/enc_keys")).rfind("400 the SAE id", 0) == 0);
  CHECK(refused(call("GET", "/api/v1/keys/" + std::string(256, 'a') + "/status"))
            .rfind("400 the SAE id", 0)
        == 0);
}

TEST_CASE("another path is 404 and another verb 405") {
  for (auto* path : {"/", "", "/api/v1/keys/", "/api/v1/keys/status", "/api/v1/keys//status",
                     "/api/v1/keys/a/b/status", "/api/v1/keys/a/status/", "/api/v2/keys/a/status",
                     "/api/v1/keys/a/Status", "/api/v1/keys/a/", "*"}) {
    CAPTURE(path);
    CHECK(refused(call("GET", path)).rfind("404 ", 0) == 0);
    CHECK(refused(call("DELETE", path)).rfind("404 ", 0) == 0);
  }
  auto allow = [](const std::string& method, const std::string& what) {
    auto x = call(method, "/api/v1/keys/a/" + what);
    auto* error = std::get_if<etsi014_error>(&x);
    return error && error->status == 405 ? error->allow : std::string{};
  };
  CHECK(allow("POST", "status") == "GET");
  CHECK(allow("HEAD", "enc_keys") == "GET, POST");
  CHECK(allow("PUT", "dec_keys") == "GET, POST");
  CHECK(allow("get", "status") == "GET");
  auto response = answer(std::get<etsi014_error>(call("PUT", "/api/v1/keys/a/dec_keys")));
  CHECK(response.headers.front().first == "Allow");
}

TEST_CASE("a status has every member of the standard") {
  auto query = call("GET", "/api/v1/keys/mano-gw-1/status");
  REQUIRE(std::holds_alternative<application_status_query>(query));
  CHECK(std::get<application_status_query>(query).slave == "mano-gw-1");
  application_status x;
  x.source = site_id{"co"};
  x.target = site_id{"dc1"};
  x.master = "nfv-co";
  x.slave = "mano-gw-1";
  x.stored_keys = 7;
  x.stored_keys_max = 20000;
  x.keys_per_request_max = 128;
  x.key_size_bits_max = 4096;
  x.key_size_bits_min = 8;
  CHECK(text(answer(x).body)
        == R"({"source_KME_ID":"co","target_KME_ID":"dc1","master_SAE_ID":"nfv-co",)"
           R"("slave_SAE_ID":"mano-gw-1","key_size":256,"stored_key_count":7,)"
           R"("max_key_count":20000,"max_key_per_request":128,"max_key_size":4096,)"
           R"("min_key_size":8,"max_SAE_ID_count":0})");
}

TEST_CASE("an application is told what it can act on, and not more") {
  auto told = [](const failure& why, bool fetching, const etsi014_compat& compat = {}) {
    auto x = answer(error_for(why, fetching, compat));
    return std::to_string(x.status) + " " + text(x.body);
  };
  CHECK(told({ec::not_allowed, "key 7 is held for somebody else"}, true)
        == R"(401 {"message":"the certificate does not allow this"})");
  CHECK(told({ec::not_allowed, "no such application"}, false)
        == R"(401 {"message":"the certificate does not allow this"})");
  CHECK(told({ec::unknown_key, "gone"}, true) == R"(400 {"message":")" + not_found + "\"}");
  etsi014_compat other;
  other.unknown_key_status = 404;
  CHECK(told({ec::unknown_key, "gone"}, true, other) == R"(404 {"message":")" + not_found + "\"}");
  CHECK(told({ec::invalid_argument, "size shall be a multiple of 8"}, false)
        == R"(400 {"message":"size shall be a multiple of 8"})");
  CHECK(
      told({ec::key_exhausted, "link x"}, false)
      == R"(503 {"message":"not enough keys; try again later","details":[{"stored_key_count":0}]})");
  for (auto code : {ec::site_unreachable, ec::maybe_executed, ec::busy, ec::storage_failed}) {
    auto said = told({code, "/var/lib/secret/place"}, false);
    CHECK(said.rfind("503 ", 0) == 0);
    CHECK(said.find("place") == std::string::npos);
  }
}

TEST_CASE("a text of ours cannot break out of its JSON string") {
  CHECK(text(answer(etsi014_error{400, "a \"b\" \n c", {}, {}}).body)
        == R"({"message":"a \"b\" \n c"})");
}

TEST_CASE("the identity rule decides which name counts") {
  caller_names x{"nfv-co", {"a.example", "b.example"}, {"qnfv:application:co1", "urn:sae:7"}};
  CHECK(names_of(x, identity_rule::common_name) == proven_names{"nfv-co"});
  CHECK(names_of(x, identity_rule::dns) == proven_names{"a.example", "b.example"});
  CHECK(names_of(x, identity_rule::uri)
        == proven_names{"qnfv:application:co1", "co1", "urn:sae:7"});
  CHECK(names_of({}, identity_rule::common_name).empty());
  CHECK(parse_identity_rule("cn") == identity_rule::common_name);
  CHECK(parse_identity_rule("dns") == identity_rule::dns);
  CHECK(parse_identity_rule("uri") == identity_rule::uri);
  CHECK_FALSE(parse_identity_rule("serial"));
}

TEST_CASE("any changed request is a call or an error") {
  const std::string target = "/api/v1/keys/mano-gw-1/enc_keys?number=3&size=1024";
  const std::string body = R"({"key_IDs":[{"key_ID":")" + key1_id + R"("}],"number":1})";
  unsigned random = 7;
  auto next = [&] { return (random = random * 1664525u + 1013904223u) >> 8; };
  for (int i = 0; i < 20000; ++i) {
    auto t = target;
    auto b = body;
    for (int j = 0; j < 3; ++j) {
      t[next() % t.size()] = static_cast<char>(next());
      b[next() % b.size()] = static_cast<char>(next());
    }
    (void)call("GET", t);
    for (auto* what : {"enc_keys", "dec_keys"})
      (void)call("POST", std::string{"/api/v1/keys/a/"} + what, b);
  }
}
