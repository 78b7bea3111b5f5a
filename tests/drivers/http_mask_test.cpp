#include "drivers/etsi014/codec.hpp"
#include "drivers/http/mask.hpp"
#include "runtime/system/random.hpp"

#include <catch2/catch.hpp>

using namespace qnfv;

namespace {

using side = http_mask::direction;

const std::string id = "bc490419-7d60-487f-adc1-4ddcc177c139";
const std::string key = "wHHVxRwDJs3/bXd38GHP3oe4svTuRpZS0yCC7x4Ly+s="; // ETSI GS QKD 014, 6.3.
const std::string hidden(key.size(), 'x');

std::string container(const std::string& name, const std::string& value) {
  return R"({"keys":[{"key_ID":")" + id + R"(",")" + name + R"(":")" + value + R"("}]})";
}

std::string head(const std::string& body) {
  return "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size())
         + "\r\nConnection: keep-alive\r\n\r\n";
}

std::string with_head(const std::string& body) {
  return head(body) + body;
}

std::string shown(side direction, const std::vector<std::string>& pieces) {
  http_mask mask{direction, etsi014_shown};
  std::string out;
  for (auto& x : pieces) {
    auto y = mask.show(byte_view{x}).value;
    REQUIRE(y.size() == x.size());
    out.append(y.begin(), y.end());
  }
  return out;
}

std::string shown(const std::string& answer) {
  return shown(side::answers, {answer});
}

/// No part of the key that tells anything is in there.
bool tells_nothing(const std::string& text) {
  for (size_t i = 0; i + 6 <= key.size(); ++i)
    if (text.find(key.substr(i, 6)) != std::string::npos)
      return false;
  return true;
}

} // namespace

TEST_CASE("of an answer with a key all is shown but the key") {
  CHECK(shown(with_head(container("key", key))) == with_head(container("key", hidden)));
}

TEST_CASE("it does not matter where pieces begin, also in the middle of a key") {
  auto whole = with_head(container("key", key)) + "HTTP/1.1 204 No Content\r\n\r\n" + with_head(container("key", key));
  auto once = shown(whole);
  CHECK(tells_nothing(once));
  for (size_t i = 0; i <= whole.size(); ++i)
    CHECK(shown(side::answers, {whole.substr(0, i), whole.substr(i)}) == once);
  std::vector<std::string> bytes;
  for (char c : whole)
    bytes.emplace_back(1, c);
  CHECK(shown(side::answers, bytes) == once);
}

TEST_CASE("a body that is cut hides its key, and so does the answer to the next request") {
  auto whole = with_head(container("key", key));
  for (size_t size = 0; size < whole.size(); ++size)
    CHECK(tells_nothing(shown(whole.substr(0, size) + whole)));
}

TEST_CASE("a name with escapes is not known, however it reads") {
  for (auto* name : {R"(k\u0065y)", R"(key_I\u0044)", R"(\u006bey_ID)", R"(key_ID\")", R"(key_ID\\)", "KEY", "Key_ID", "key_ID "}) {
    INFO(name);
    CHECK(tells_nothing(shown(with_head(container(name, key)))));
  }
  CHECK(tells_nothing(shown(with_head(R"({"key":"\")" + key + R"(","key_ID":"a"})"))));
  CHECK(tells_nothing(shown(with_head(R"({"key":"a\\","key_ID\":":")" + key + R"("})"))));
}

TEST_CASE("a key is hidden wherever else it stands") {
  for (auto& body : {key, "\"" + key + "\"", "[\"" + key + "\"]", R"({")" + key + R"(":1})",
                     R"({"key_ID":{"x":")" + key + R"("}})", R"({"key_ID":[{"":")" + key + R"("}]})",
                     R"({"key":["a",")" + key + R"("]})", R"({"key_ID":"a"})" + key, R"({"key_ID":"a"}{"key":")" + key + R"("})",
                     R"({"key_ID":"a",)" + key + "}", R"(<key>)" + key + "</key>", std::string("\0", 1) + key}) {
    INFO(body);
    CHECK(tells_nothing(shown(with_head(body))));
  }
}

TEST_CASE("numbers are shown where they are known") {
  auto body = std::string{R"({"stored_key_count": 25, "other": 25, "key": 1e5, "details":[{"stored_key_count":-1}]})"};
  auto out = shown(with_head(body)).substr(head(body).size());
  CHECK(out == R"({"stored_key_count": 25, "xxxxx": xx, "key": xxx, "details":[{"stored_key_count":-1}]})");
}

TEST_CASE("of what is nested too deeply nothing is shown") {
  auto body = std::string(1000, '[') + "\"" + key + "\"";
  CHECK(tells_nothing(shown(with_head(body))));
}

TEST_CASE("a chunked body is understood, with a key in two chunks") {
  auto body = container("key", key);
  auto cut = body.find(key) + 10;
  auto chunk = [](const std::string& x) {
    char size[20];
    std::snprintf(size, sizeof size, "%zx", x.size());
    return std::string{size} + "\r\n" + x + "\r\n";
  };
  auto chunked = [&](const std::string& x) {
    return "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk(x.substr(0, cut)) + chunk(x.substr(cut))
           + "0\r\nDate: today\r\nSecret: x\r\n\r\n";
  };
  auto next = with_head("{}");
  auto out = shown(chunked(body) + next);
  auto expected = chunked(container("key", hidden)) + next;
  expected.replace(expected.find("Secret: x"), 9, "Sexxxx:xx"); // "Se" begins "Server".
  CHECK(out == expected);
}

TEST_CASE("who asks is masked, what is asked for is not") {
  auto ask = std::string{"POST /api/v1/keys/mano-gw-1/dec_keys HTTP/1.1\r\nHost: co\r\nAuthorization: Basic cXVlc3Q=\r\n"
                         "X-Token: cXVlc3Q=\r\ncookie: cXVlc3Q=\r\nContent-Length: "};
  auto body = R"({"key_IDs":[{"key_ID":")" + id + R"("}],"secret":"cXVlc3Q="})";
  auto out = shown(side::requests, {ask + std::to_string(body.size()) + "\r\n\r\n" + body + "GET /next HTTP/1.1\r\n\r\n"});
  CHECK(out.find("POST /api/v1/keys/mano-gw-1/dec_keys HTTP/1.1\r\nHost: co\r\nAuthorization:xxxxxxxxxxxxxxx\r\n") == 0);
  CHECK(out.find("cXVlc3Q") == std::string::npos);
  CHECK(out.find(id) != std::string::npos);
  CHECK(out.find("GET /next HTTP/1.1\r\n\r\n") != std::string::npos);
}

TEST_CASE("from what is no HTTP on everything is masked") {
  auto good = with_head("{}");
  for (auto* bad : {"HTTP/2 200 OK\r\n\r\n", "HTTP/1.1\r\n\r\n", "HTTP/1.1 abc OK\r\n\r\n", "HTTP/1.1 200 OK\r\nno field\r\n\r\n",
                    "HTTP/1.1 200 OK\r\n folded\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 1x\r\n\r\n",
                    "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
                    "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
                    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n",
                    "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
                    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
                    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n",
                    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{{",
                    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffff\r\n"}) {
    INFO(bad);
    auto out = shown(bad + good);
    CHECK(out.substr(std::string{bad}.size()) == std::string(good.size(), 'x'));
  }
  CHECK(shown(side::requests, {"abc"}) == "xxx");
  CHECK(shown(side::requests, {key}) == hidden);
}

TEST_CASE("an answer without a length is a body to the end") {
  auto out = shown("HTTP/1.0 200 OK\r\n\r\n" + container("key", key) + with_head(container("key", key)));
  CHECK(out.find("HTTP/1.0 200 OK\r\n\r\n" + container("key", hidden)) == 0);
  CHECK(tells_nothing(out));
  // After a HEAD the length is of nothing; then the next answer counts as its body.
  auto after_head = head(container("key", key)) + with_head(container("key", key));
  CHECK(tells_nothing(shown(after_head)));
}

TEST_CASE("whatever happens to the bytes, none of the key is shown") {
  auto random = make_seeded_random(5);
  auto good = with_head(container("key", key)) + with_head(container("key", key));
  for (int i = 0; i < 50000; ++i) {
    auto text = good;
    for (auto n = 1 + random->next() % 3; n > 0; --n) {
      auto at = random->next() % text.size();
      // What is damaged is what stands around the keys.
      if (text.find(key, at < key.size() ? 0 : at - key.size()) <= at)
        continue;
      if (random->next() % 3 == 0)
        text.erase(at, 1);
      else if (random->next() % 2 == 0)
        text.insert(at, 1, "\"\\{}[]:,\r\n 0x"[random->next() % 13]);
      else
        text[at] = static_cast<char>(random->next() % 256);
    }
    if (!tells_nothing(shown(text)))
      FAIL(text);
  }
}
