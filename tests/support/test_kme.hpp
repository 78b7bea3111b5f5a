#pragma once

// Two key management entities of another make (ETSI GS QKD 014), as far as a client can tell: they
// share their keys by magic, speak mutual TLS, and have the habits and faults that a test gives
// them.

#include "drivers/http/server.hpp"
#include "runtime/base/base64.hpp"
#include "runtime/base/ids.hpp"
#include "runtime/system/io.hpp"
#include "runtime/system/random.hpp"
#include "runtime/tls/pki.hpp"
#include "runtime/tracing/context.hpp"
#include "tests/support/folder.hpp"

#include <catch2/catch.hpp>
#include <rapidjson/document.h>

#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace qnfv::test {

/// What makes differ in.
struct kme_habits {
  uint16_t refusal = 503; ///< When there are not enough keys, or not these.
  std::string refusal_body = R"({"message":"no"})"; ///< Any text.
  std::string list = "keys";                        ///< Or "Keys".
  uint32_t keys_per_request = 128;
  bool one_at_a_time = false; ///< Ignores `number`.
};

/// What goes wrong.
struct kme_faults {
  uint32_t refuse_every = 0; ///< Every n-th request is refused, whatever it is.
  uint32_t lose_every = 0;   ///< Every n-th key never reaches the other KME.
  uint32_t differ_every = 0; ///< Every n-th key has other bits there.
  uint32_t repeat_every = 0; ///< Every n-th key has the id of the one before.
  uint32_t late = 0;         ///< How often dec_keys is refused for each new group.
  std::string answer;        ///< Of enc_keys, instead of keys.
};

class two_kmes : public std::enable_shared_from_this<two_kmes> {
public:
  /// A request may still be served by another thread when the test is over.
  static std::shared_ptr<two_kmes> make(io_pool& io, kme_habits habits = {}) {
    auto out = std::make_shared<two_kmes>(io, std::move(habits));
    out->open("kme-a");
    out->open("kme-b");
    return out;
  }

  two_kmes(io_pool& io, kme_habits habits) : io_(io), habits(std::move(habits)) {
    REQUIRE(pki_init(folder_.path()));
    for (auto* name : {"kme-a", "kme-b", "sae-a", "sae-b", "sae-c"})
      REQUIRE(pki_issue(folder_.path(), name));
  }
  ~two_kmes() { stop(); }

  /// Nobody answers any more.
  void stop() {
    for (auto& x : servers_)
      x.second->stop();
  }
  void open(const std::string& name) {
    http_server_settings s;
    auto& port = ports_[name];
    s.listen = "127.0.0.1:" + std::to_string(port);
    s.tls = files(name);
    auto bob = name == "kme-a";
    auto server = http_server::start(
      io_.context(), s, [weak = weak_from_this(), bob](http_request x, http_reply reply) {
        if (auto self = weak.lock())
          self->answer(bob, x, reply);
      });
    INFO((server ? "" : server.error().text));
    REQUIRE(server);
    servers_[name] = *server;
    port = (*server)->port();
  }

  std::string address(const std::string& kme) const {
    return "127.0.0.1:" + std::to_string(ports_.at(kme));
  }
  tls_files files(const std::string& name) const {
    return {folder_ / "ca.pem", folder_ / (name + ".pem"), folder_ / (name + ".key")};
  }
  const std::string& folder() const { return folder_.path(); }

  void add_keys(uint32_t n) {
    std::lock_guard lock{mutex_};
    stock_ += n;
  }
  void set(kme_faults x) {
    std::lock_guard lock{mutex_};
    faults_ = std::move(x);
  }
  /// Keys handed out by KME B.
  size_t fetched() const {
    std::lock_guard lock{mutex_};
    return fetched_;
  }
  /// What each request to a KME was made for.
  std::vector<trace_context> asked_for(const std::string& kme) const {
    std::lock_guard lock{mutex_};
    return asked_for_.at(kme);
  }
  uint32_t largest_request() const {
    std::lock_guard lock{mutex_};
    return largest_;
  }

private:
  static http_response text(uint16_t status, const std::string& body) {
    http_response out;
    out.status = status;
    out.body = secret{byte_view{body}};
    return out;
  }

  static bool nth(uint32_t every, uint64_t count) {
    return every > 0 && count % every == every - 1;
  }

  std::string container(const std::vector<std::pair<std::string, secret>>& keys) const {
    std::string out = "{\"vendor_note\":[1,{}],\"" + habits.list + "\":[";
    for (auto& [id, bits] : keys) {
      auto base64 = to_base64(bits.view());
      out += out.back() == '[' ? "" : ",";
      out += "{\"key_ID\":\"" + id + "\",\"key\":\""
             + std::string(base64.view().begin(), base64.view().end()) + "\",\"key_extension\":{}}";
    }
    return out + "]}";
  }

  void answer(bool bob, const http_request& x, const http_reply& reply) {
    std::lock_guard lock{mutex_};
    asked_for_[bob ? "kme-a" : "kme-b"].push_back(current_trace());
    auto me = bob ? "sae-a" : "sae-b";
    auto other = bob ? "sae-b" : "sae-a";
    auto base = std::string{"/api/v1/keys/"} + other + "/";
    if (x.caller.common_name != me)
      return reply(text(401, R"({"detail":"who are you"})"));
    if (nth(faults_.refuse_every, requests_++))
      return reply(text(habits.refusal, habits.refusal_body));
    if (x.target == base + "status")
      return reply(
        text(200, "{\"source_KME_ID\":\"a\",\"stored_key_count\":" + std::to_string(stock_)
                    + ",\"key_size\":256,\"min_key_size\":64,\"max_key_size\":1024,"
                      "\"max_key_per_request\":"
                    + std::to_string(habits.keys_per_request) + "}"));
    rapidjson::Document body;
    body.Parse(x.body.c_str());
    if (x.method == "POST" && body.IsObject() && bob && x.target == base + "enc_keys")
      return reply(enc_keys(body["number"].GetUint(), body["size"].GetUint()));
    if (x.method == "POST" && body.IsObject() && !bob && x.target == base + "dec_keys") {
      std::vector<std::string> names;
      for (auto& y : body["key_IDs"].GetArray())
        names.push_back(y["key_ID"].GetString());
      return reply(dec_keys(names));
    }
    reply(text(404, "no such page"));
  }

  http_response enc_keys(uint32_t n, uint32_t size) {
    largest_ = std::max(largest_, n);
    if (!faults_.answer.empty())
      return text(200, faults_.answer);
    if (habits.one_at_a_time)
      n = std::min(n, 1u);
    if (n == 0 || n > habits.keys_per_request || size != 256 || n > stock_)
      return text(habits.refusal, habits.refusal_body);
    stock_ -= n;
    std::vector<std::pair<std::string, secret>> out;
    for (; n > 0; --n) {
      auto id = uuid_text(random_->bytes_of<std::array<uint8_t, 16>>());
      auto bits = random_->bytes_of<std::array<uint8_t, 32>>();
      if (nth(faults_.repeat_every, made_) && !last_.empty())
        id = last_;
      last_ = id;
      out.emplace_back(id, secret{bits});
      if (nth(faults_.differ_every, made_))
        bits[0] ^= 1;
      if (!nth(faults_.lose_every, made_))
        there_[id] = secret{bits};
      ++made_;
    }
    return text(200, container(out));
  }

  http_response dec_keys(const std::vector<std::string>& names) {
    if (refused_[names.front()]++ < faults_.late)
      return text(habits.refusal, habits.refusal_body);
    for (auto& name : names)
      if (there_.count(name) == 0 || names.size() > habits.keys_per_request)
        return text(habits.refusal, habits.refusal_body);
    std::vector<std::pair<std::string, secret>> out;
    for (auto& name : names) {
      out.emplace_back(name, there_.at(name));
      there_.erase(name);
      ++fetched_;
    }
    return text(200, container(out));
  }

  io_pool& io_;
  temporary_folder folder_;
  mutable std::mutex mutex_;
  kme_faults faults_;
  std::shared_ptr<random_source> random_ = make_seeded_random(14);
  uint64_t stock_ = 0, made_ = 0, requests_ = 0, fetched_ = 0;
  uint32_t largest_ = 0;
  std::string last_;
  std::map<std::string, std::vector<trace_context>> asked_for_;
  std::map<std::string, secret> there_; ///< At KME B.
  std::map<std::string, uint32_t> refused_;
  std::map<std::string, uint16_t> ports_;
  std::map<std::string, std::shared_ptr<http_server>> servers_;

public:
  const kme_habits habits;
};

} // namespace qnfv::test
