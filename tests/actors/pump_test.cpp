// The pumps of image_stream, without actors: what a receiver does with every kind of broken stream.

#include "actors/image_stream/pump.hpp"
#include "runtime/storage/memory.hpp"
#include "runtime/system/random.hpp"

#include <catch2/catch.hpp>

#include <algorithm>

using namespace qnfv;

namespace {

/// Gives out given bytes; counts what is written.
class fake_channel : public byte_channel {
public:
  fake_channel(std::shared_ptr<io_pool> io, bytes input) : io_(std::move(io)), in_(std::move(input)) {}
  void read(size_t n, std::function<void(result<bytes>)> then) override {
    auto part = byte_view{in_}.part(at_, n);
    at_ += part.size();
    bytes out(part.begin(), part.end());
    io_->post([then = std::move(then), out = std::move(out), closed = &closed] {
      if (*closed)
        then(failure{ec::channel_failed, "closed"});
      else
        then(out);
    });
  }
  void write(bytes data, std::function<void(status)> then) override {
    written.insert(written.end(), data.begin(), data.end());
    ++writes;
    bool broken = fail_at_write != 0 && writes >= fail_at_write;
    io_->post([then = std::move(then), broken] {
      then(broken ? status{failure{ec::channel_failed, "cable cut"}} : status{done{}});
    });
  }
  void finish(std::function<void(status)> then) override {
    finished = true;
    io_->post([then = std::move(then)] { then(done{}); });
  }
  void close() override { closed = true; }

  bytes written;
  size_t writes = 0;
  size_t fail_at_write = 0;
  bool finished = false;
  bool closed = false;

private:
  std::shared_ptr<io_pool> io_;
  bytes in_;
  size_t at_ = 0;
};

class fake_sink : public byte_sink {
public:
  explicit fake_sink(std::shared_ptr<io_pool> io) : io_(std::move(io)) {}
  void write(bytes data, std::function<void(status)> then) override {
    content.insert(content.end(), data.begin(), data.end());
    bool broken = fail_at != 0 && ++writes >= fail_at;
    io_->post([then = std::move(then), broken] {
      then(broken ? status{failure{ec::vim_failed, "no space left"}} : status{done{}});
    });
  }
  void finish(bytes last, std::function<void(result<std::string>)> then) override {
    content.insert(content.end(), last.begin(), last.end());
    ++finishes;
    io_->post([then = std::move(then)] { then(std::string{"loaded"}); });
  }
  void abort() override { aborted = true; }

  bytes content;
  size_t writes = 0;
  size_t fail_at = 0;
  int finishes = 0;
  bool aborted = false;

private:
  std::shared_ptr<io_pool> io_;
};

constexpr uint8_t segment_log2 = 12;
constexpr size_t segment = size_t{1} << segment_log2;

bytes seeded(size_t n, uint64_t seed = 1) {
  bytes out(n);
  make_seeded_random(seed)->fill(out.data(), out.size());
  return out;
}

secret the_key() {
  return secret{seeded(32, 99)};
}

qvs1::header the_header(size_t size) {
  qvs1::header h;
  h.segment_log2 = segment_log2;
  h.key = make_key_id(link_id{"bob1/alice1"}, 1, link_end::bob, 5);
  h.salt.fill(7);
  h.plaintext_bytes = size;
  h.stream.value.fill(9);
  return h;
}

std::string digest_of(const bytes& x) {
  return to_hex(sha256::of(x));
}

void run(io_pool& io) {
  while (io.poll()) {
  }
}

struct sent {
  bytes stream;
  pump_outcome outcome;
  bool finished = false;
  bool ended = false;
  uint32_t most_segments = 0;
};

sent send(const bytes& plain, uint64_t announced, size_t fail_at_write = 0) {
  auto io = std::make_shared<io_pool>(0);
  memory_storage files;
  REQUIRE(files.replace("image", plain));
  auto channel = std::make_shared<fake_channel>(io, bytes{});
  channel->fail_at_write = fail_at_write;
  sender_settings s;
  s.file = *files.open("image");
  s.size_bytes = announced;
  s.channel = channel;
  sent out;
  auto cipher = qvs1::cipher::seal(the_key(), the_header(announced));
  auto p = make_sender(io, *cipher, s, [&](pump_outcome x) {
    CHECK_FALSE(out.ended);
    out.ended = true;
    out.outcome = x;
  });
  p->start();
  run(*io);
  out.stream = channel->written;
  out.finished = channel->finished;
  out.most_segments = p->most_segments();
  return out;
}

struct received {
  pump_outcome outcome;
  std::shared_ptr<fake_sink> sink;
  bool ended = false;
  uint32_t most_segments = 0;
};

received receive(const bytes& stream, const bytes& plain, secret key = the_key(),
                 std::string digest = {}, size_t sink_fails_at = 0) {
  auto io = std::make_shared<io_pool>(0);
  received out;
  out.sink = std::make_shared<fake_sink>(io);
  out.sink->fail_at = sink_fails_at;
  receiver_settings s;
  s.key = std::move(key);
  s.id = the_header(0).key;
  s.stream = the_header(0).stream;
  s.size_bytes = plain.size();
  s.digest = digest.empty() ? digest_of(plain) : digest;
  s.channel = std::make_shared<fake_channel>(io, stream);
  s.sink = out.sink;
  auto p = make_receiver(io, s, [&](pump_outcome x) {
    CHECK_FALSE(out.ended);
    out.ended = true;
    out.outcome = x;
  });
  p->start();
  run(*io);
  out.most_segments = p->most_segments();
  return out;
}

/// Refused for good: an error, an aborted sink, never finished.
void check_refused(const received& x, ec code = ec::stream_corrupt) {
  CHECK(x.ended);
  CHECK(x.outcome.why.code == code);
  CHECK(x.sink->finishes == 0);
  CHECK(x.sink->aborted);
}

} // namespace

TEST_CASE("what one pump sends the other receives, whatever the size") {
  for (size_t size : {size_t{1}, segment - 1, segment, segment + 1, 5 * segment, 5 * segment + 3,
                      40 * segment}) {
    INFO(size);
    auto plain = seeded(size);
    auto out = send(plain, size);
    REQUIRE(out.ended);
    CHECK(out.outcome.why.code == ec::none);
    CHECK(out.finished);
    CHECK(out.stream.size() == qvs1::stream_bytes(size, segment_log2));
    CHECK(out.most_segments <= 4);
    auto in = receive(out.stream, plain);
    REQUIRE(in.ended);
    CHECK(in.outcome.why.code == ec::none);
    CHECK(in.outcome.vim_image == "loaded");
    CHECK(in.outcome.digest == digest_of(plain));
    CHECK(in.sink->content == plain);
    CHECK(in.sink->finishes == 1);
    CHECK(in.most_segments <= 5);
  }
}

TEST_CASE("a flipped, dropped, swapped, repeated or cut frame never finishes the sink") {
  auto plain = seeded(6 * segment + 100);
  auto good = send(plain, plain.size()).stream;
  auto frame = segment + qvs1::tag_bytes;
  auto border = [&](size_t i) { return qvs1::header_bytes + i * frame; };
  size_t frames = 7;
  for (size_t i = 0; i < frames; ++i) {
    auto begin = border(i);
    auto end = std::min(border(i + 1), good.size());
    INFO("frame " << i);
    for (auto at : {begin, (begin + end) / 2, end - 1}) {
      auto flipped = good;
      flipped[at] ^= 0x10;
      check_refused(receive(flipped, plain));
    }
    auto dropped = good;
    dropped.erase(dropped.begin() + static_cast<long>(begin), dropped.begin() + static_cast<long>(end));
    check_refused(receive(dropped, plain));
    auto repeated = good;
    repeated.insert(repeated.begin() + static_cast<long>(end), good.begin() + static_cast<long>(begin),
                    good.begin() + static_cast<long>(end));
    check_refused(receive(repeated, plain));
    if (i + 2 < frames) {
      auto swapped = good;
      std::swap_ranges(swapped.begin() + static_cast<long>(begin),
                       swapped.begin() + static_cast<long>(end),
                       swapped.begin() + static_cast<long>(end));
      check_refused(receive(swapped, plain));
    }
    for (auto cut_at : {begin, begin + 1, end - 1}) {
      auto cut = good;
      cut.resize(cut_at);
      check_refused(receive(cut, plain));
    }
  }
  auto longer = good;
  longer.push_back(0);
  check_refused(receive(longer, plain));
  for (size_t n : {0, 1, 63, 95})
    check_refused(receive(bytes(good.begin(), good.begin() + static_cast<long>(n)), plain));
}

TEST_CASE("a frame of another stream under the same key is refused") {
  auto plain = seeded(3 * segment);
  auto good = send(plain, plain.size()).stream;
  auto other_plain = seeded(3 * segment, 2);
  auto head = the_header(other_plain.size());
  head.salt.fill(8);
  auto other = qvs1::cipher::seal(the_key(), head);
  auto foreign = other->seal_frame(1, false, byte_view{other_plain}.part(segment, segment));
  std::copy(foreign->begin(), foreign->end(),
            good.begin() + static_cast<long>(qvs1::header_bytes + segment + qvs1::tag_bytes));
  check_refused(receive(good, plain));
}

TEST_CASE("another key, another digest and another length are refused") {
  auto plain = seeded(3 * segment);
  auto good = send(plain, plain.size()).stream;
  check_refused(receive(good, plain, secret{bytes(32, 1)}));
  auto shorter = plain;
  shorter.pop_back();
  check_refused(receive(good, shorter));
  auto in = receive(good, plain, the_key(), std::string(64, '0'));
  check_refused(in, ec::digest_mismatch);
}

TEST_CASE("a sink that fails ends the stream with its reason") {
  auto plain = seeded(6 * segment);
  auto good = send(plain, plain.size()).stream;
  auto in = receive(good, plain, the_key(), {}, 3);
  check_refused(in, ec::vim_failed);
  CHECK(in.outcome.why.text == "no space left");
}

TEST_CASE("a sender whose file is not as long as the catalogue says sends nothing") {
  auto plain = seeded(2 * segment);
  for (auto announced : {plain.size() - 1, plain.size() + 1}) {
    auto out = send(plain, announced);
    CHECK(out.ended);
    CHECK(out.outcome.why.code == ec::storage_failed);
    CHECK_FALSE(out.finished);
    CHECK(out.stream.empty());
  }
}

TEST_CASE("a sender whose channel breaks stops reading") {
  auto plain = seeded(100 * segment);
  auto out = send(plain, plain.size(), 3);
  CHECK(out.ended);
  CHECK(out.outcome.why.code == ec::channel_failed);
  CHECK_FALSE(out.finished);
  CHECK(out.stream.size() < 10 * segment);
}

TEST_CASE("a cancelled pump ends once, closes its channel and aborts its sink") {
  auto plain = seeded(10 * segment);
  auto stream = send(plain, plain.size()).stream;
  for (int steps = 0; steps < 60; ++steps) {
    auto io = std::make_shared<io_pool>(0);
    auto channel = std::make_shared<fake_channel>(io, stream);
    auto sink = std::make_shared<fake_sink>(io);
    receiver_settings s;
    s.key = the_key();
    s.id = the_header(0).key;
    s.stream = the_header(0).stream;
    s.size_bytes = plain.size();
    s.digest = digest_of(plain);
    s.channel = channel;
    s.sink = sink;
    int ends = 0;
    ec code = ec::none;
    auto p = make_receiver(io, s, [&](pump_outcome x) {
      ++ends;
      code = x.why.code;
    });
    p->start();
    for (int i = 0; i < steps && io->poll(); ++i) {
    }
    p->cancel({ec::cancelled, "enough"});
    run(*io);
    CHECK(ends == 1);
    CHECK(channel->closed);
    CHECK((code == ec::none ? sink->finishes == 1 : sink->aborted));
  }
}
