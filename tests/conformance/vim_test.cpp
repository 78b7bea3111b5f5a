// The promises of the VIM interface, on every driver; vim_docker against a real engine.

#include "drivers/vim_docker/docker_codec.hpp"
#include "drivers/vim_docker/docker_http.hpp"
#include "drivers/vim_docker/vim_docker.hpp"
#include "drivers/vim_emulator/vim_emulator.hpp"
#include "tests/support/real_world.hpp"

#include <catch2/catch.hpp>

#include <array>
#include <cstdio>
#include <iostream>

using namespace qnfv;
using namespace qnfv::test;

namespace {

std::string run_command(const std::string& command) {
  std::string out;
  auto* pipe = ::popen(command.c_str(), "r");
  std::array<char, 256> buffer;
  while (pipe && std::fgets(buffer.data(), buffer.size(), pipe))
    out += buffer.data();
  if (pipe)
    ::pclose(pipe);
  while (!out.empty() && out.back() == '\n')
    out.pop_back();
  return out;
}

/// One engine for the whole program.
class engine {
public:
  static engine& get() {
    static engine e;
    return e;
  }
  /// Empty where none can run; then `problem` says why.
  std::string socket;
  std::string problem;

private:
  engine() : files_(folder_.path() + "/engine") {
    auto said = run_command(std::string{QNFV_SOURCE_DIR} + "/tests/support/engine start " + files_);
    if (said.rfind("no: ", 0) == 0 || said.empty()) {
      problem = said.empty() ? "the engine did not start" : said.substr(4);
      std::cout << "no container engine can run here: " << problem << std::endl;
    } else {
      socket = said;
    }
  }
  ~engine() { run_command(std::string{QNFV_SOURCE_DIR} + "/tests/support/engine stop " + files_); }

  temporary_folder folder_;
  std::string files_;
};

/// A real image: busybox that sleeps.
bytes container_archive(const std::string& folder) {
  run_command("mkdir -p " + folder + "/root/bin && cp /bin/busybox " + folder + "/root/bin/sleep && "
              + QNFV_SOURCE_DIR + "/tools/image/container-image qnfv/test:1 " + folder + "/image.tar "
              + folder + "/root /bin/sleep 1000");
  auto files = make_disk_storage(folder);
  auto content = (*files)->load("image.tar", 64u << 20);
  REQUIRE(content);
  return *content;
}

struct vim_under_test {
  real_world w;
  vim_actor vim;
  bytes image;

  explicit vim_under_test(const std::string& driver) {
    if (driver == "vim_docker") {
      vim_docker_config c;
      c.socket = engine::get().socket;
      vim = w.spawn("dc1", vim_docker, c);
      image = container_archive(w.folder());
    } else {
      vim = w.spawn("dc1", vim_emulator, vim_emulator_config{});
      image = bytes(3'000'000, 7);
    }
  }

  std::shared_ptr<byte_sink> sink(uint8_t n) {
    load_image ask;
    ask.transfer.value.fill(n);
    ask.image = image_id{"test"};
    ask.size_bytes = image.size();
    auto got = w.ask<image_sink>(vim, ask);
    REQUIRE(got);
    return got->sink;
  }

  /// Writes all but the end, then finishes with the end.
  result<std::string> load(uint8_t n, const bytes& content) {
    auto place = sink(n);
    size_t piece = 1u << 20;
    size_t at = 0;
    for (; content.size() - at > piece; at += piece) {
      waiter<status> written;
      place->write({content.begin() + static_cast<long>(at), content.begin() + static_cast<long>(at + piece)},
                   written.callback());
      auto ok = written.get();
      if (!ok)
        return ok.error();
    }
    waiter<result<std::string>> name;
    place->finish({content.begin() + static_cast<long>(at), content.end()}, name.callback());
    return name.get(std::chrono::seconds{120});
  }

  result<instance> create(const std::string& vnf, const std::string& vim_image) {
    return w.ask<instance>(vim, create_instance{vnf_id{vnf}, image_kind::container, vim_image});
  }
  result<instance> start(const std::string& vnf) {
    return w.ask<instance>(vim, start_instance{vnf_id{vnf}, image_kind::container});
  }
  result<instance> stop(const std::string& vnf) {
    return w.ask<instance>(vim, stop_instance{vnf_id{vnf}, image_kind::container});
  }
  result<instance> inspect(const std::string& vnf) {
    return w.ask<instance>(vim, inspect_instance{vnf_id{vnf}, image_kind::container});
  }
};

std::vector<std::string> drivers() {
  std::vector<std::string> out{"vim_emulator"};
  if (!engine::get().socket.empty())
    out.emplace_back("vim_docker");
  return out;
}

/// Whether the engine knows any image of ours.
bool engine_has_image() {
  return run_command("curl -s --unix-socket " + engine::get().socket
                     + " http://engine/v1.41/images/json")
           .find("qnfv/test") != std::string::npos;
}

} // namespace

TEST_CASE("an image is loaded, created, started and stopped, and repeating changes nothing") {
  for (auto& driver : drivers()) {
    INFO(driver);
    vim_under_test x{driver};
    auto name = x.load(1, x.image);
    INFO((name ? *name : name.error().text));
    REQUIRE(name);
    for (int i = 0; i < 2; ++i) {
      auto made = x.create("fw-1", *name);
      INFO((made ? made->detail : made.error().text));
      REQUIRE(made);
      CHECK(made->exists);
    }
    for (int i = 0; i < 2; ++i) {
      auto started = x.start("fw-1");
      INFO((started ? started->detail : started.error().text));
      REQUIRE(started);
      CHECK(started->running);
      CHECK(started->vim == driver);
    }
    CHECK(x.inspect("fw-1")->running);
    for (int i = 0; i < 2; ++i) {
      auto stopped = x.stop("fw-1");
      INFO((stopped ? stopped->detail : stopped.error().text));
      REQUIRE(stopped);
      CHECK_FALSE(stopped->exists);
    }
    CHECK_FALSE(x.inspect("fw-1")->exists);
    for (int i = 0; i < 2; ++i)
      CHECK(x.w.ask<accepted>(x.vim, unload_image{image_kind::container, *name}));
    CHECK(x.create("fw-1", *name).error().code == ec::not_found);
  }
}

TEST_CASE("what was not finished leaves nothing") {
  for (auto& driver : drivers()) {
    INFO(driver);
    vim_under_test x{driver};
    {
      auto place = x.sink(2);
      waiter<status> written;
      place->write(x.image, written.callback()); // All of it, but never the end.
      REQUIRE(written.get());
      place->abort();
      place->abort();
    }
    if (driver == "vim_docker") {
      CHECK_FALSE(engine_has_image());
    } else {
      auto stopped = x.stop("nobody"); // A round trip: the removal ran before it.
      REQUIRE(stopped);
      std::string left;
      for (int i = 0; i < 1000; ++i) {
        waiter<int> turn;
        x.w.io()->post([cb = turn.callback()] { cb(0); });
        turn.get();
        left = run_command("ls " + x.w.folder() + "/dc1/vim | grep -v instances");
        if (left.empty())
          break;
      }
      CHECK(left.empty());
    }
  }
}

TEST_CASE("an instance of an unknown image, and an unknown instance, are refused") {
  for (auto& driver : drivers()) {
    INFO(driver);
    vim_under_test x{driver};
    auto ghost = x.create("fw-2", driver == "vim_docker" ? "sha256:" + std::string(64, '0') : "vim/no.img");
    REQUIRE_FALSE(ghost);
    CHECK(ghost.error().code == ec::not_found);
    auto nobody = x.start("fw-3");
    REQUIRE_FALSE(nobody);
    CHECK(nobody.error().code == ec::not_found);
    CHECK_FALSE(x.inspect("fw-3")->exists);
  }
}

TEST_CASE("a broken archive is refused although the engine answers 200") {
  if (engine::get().socket.empty()) {
    // Said once, above: no engine can run here.
    CHECK_FALSE(engine::get().problem.empty());
    return;
  }
  vim_under_test x{"vim_docker"};
  auto cut = x.image;
  cut.resize(cut.size() / 2);
  auto flipped = x.image;
  for (size_t i = 0; i < flipped.size(); i += 512)
    flipped[i] ^= 0xff; // Every tar header, among others.
  for (auto& bad : {cut, flipped, bytes(100'000, 'x')}) {
    auto name = x.load(3, bad);
    REQUIRE_FALSE(name);
    CHECK(name.error().code == ec::vim_failed);
    CHECK_FALSE(name.error().text.empty());
    CHECK_FALSE(engine_has_image());
  }
}

TEST_CASE("where no engine listens the error says so") {
  real_world w;
  vim_docker_config c;
  c.socket = w.folder() + "/none.sock";
  auto vim = w.spawn("dc1", vim_docker, c);
  auto gone = w.ask<instance>(vim, inspect_instance{vnf_id{"x"}, image_kind::container});
  REQUIRE_FALSE(gone);
  CHECK(gone.error().code == ec::vim_failed);
  CHECK(gone.error().text.find("no container engine at " + c.socket) != std::string::npos);
  auto place = w.ask<image_sink>(vim, load_image{});
  REQUIRE(place);
  waiter<status> written;
  place->sink->write(bytes(10), written.callback());
  CHECK_FALSE(written.get());
}

TEST_CASE("the engine's answers are read as the API says") {
  using namespace docker;
  CHECK(*parse_load(200, "{\"stream\":\"Loaded image: qnfv/vnf:1\\n\"}\r\n") == "qnfv/vnf:1");
  CHECK(*parse_load(200, "{\"stream\":\"Loaded image ID: sha256:12\\n\"}\r\n") == "sha256:12");
  auto broken = parse_load(200, "{\"errorDetail\":{\"message\":\"unexpected EOF\"},\"error\":\"unexpected EOF\"}");
  REQUIRE_FALSE(broken);
  CHECK(broken.error().text == "the engine refused the image: unexpected EOF");
  CHECK_FALSE(parse_load(200, ""));
  CHECK_FALSE(parse_load(500, "{\"message\":\"no space left\"}"));
  CHECK(error_text(400, "{\"message\":\"client version 1.99 is too new\"}") == "client version 1.99 is too new");
  auto long_words = "\"" + std::string(5000, 'x') + "\"}";
  CHECK(error_text(500, "{\"message\":" + long_words).size() == 200);
  CHECK(parse_load(200, "{\"error\":" + long_words).error().text.size() < 300);
  auto state = parse_container("{\"Id\":\"3f2a\",\"State\":{\"Status\":\"running\",\"Running\":true},"
                               "\"Config\":{\"Labels\":{\"qnfv.vnf\":\"fw-1\"}}}",
                               vnf_id{"fw-1"});
  REQUIRE(state);
  CHECK(state->ours);
  CHECK(state->running);
  CHECK_FALSE(parse_container("{\"State\":{\"Running\":true}}", vnf_id{"fw-1"})->ours);
  CHECK(path_segment("a b/ü?") == "a%20b/%C3%BC%3F");
  for (auto* bad : {"", "{", "[]", "null", "{\"State\":3}", "{\"Id\":7}"}) {
    CHECK_FALSE(parse_container(bad, vnf_id{"x"}));
    CHECK_FALSE(parse_image_id(200, bad));
    CHECK_FALSE(parse_load(200, bad));
  }
}
