#include "runtime/tracing/ring.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <new>
#include <thread>

namespace qnfv {

namespace {
/// To wake a thread costs more than to write an event: events are gathered so long.
constexpr auto gather_time = std::chrono::milliseconds{10};
constexpr auto relaxed = std::memory_order_relaxed;

size_t words_of(const trace_record& x) {
  return (x.bytes().size() + sizeof(uint64_t) - 1) / sizeof(uint64_t);
}
/// Of a record without texts.
const size_t head_words = words_of(trace_record{});

/// The ring is larger than a cache: the place of the next event is fetched before it comes.
template <class Slot>
void prefetch(const Slot& x) {
  constexpr size_t line_bytes = 64, usual_bytes = 448;
  for (size_t i = 0; i < usual_bytes; i += line_bytes)
    __builtin_prefetch(reinterpret_cast<const char*>(&x) + i, 1);
}
} // namespace

static_assert(std::atomic<uint64_t>::is_always_lock_free);

trace_ring::trace_ring(size_t room)
  : room_(std::max<size_t>(room, 1)), slots_(static_cast<slot*>(std::calloc(room_, sizeof(slot)))) {
  if (!slots_)
    throw std::bad_alloc{};
}

void trace_ring::push(trace_record& x, bool begins) {
  auto number = ++newest_;
  x.id.sequence = number;
  if (begins)
    x.trace = x.id;
  auto& to = slot_of(number);
  auto state = to.state.load(relaxed);
  while (state < 2 * number) {
    if (state % 2 == 1) { // Somebody who is a whole ring behind.
      std::this_thread::yield();
      state = to.state.load(relaxed);
      continue;
    }
    if (!to.state.compare_exchange_weak(state, 2 * number - 1, std::memory_order_acquire, relaxed))
      continue;
    std::atomic_thread_fence(std::memory_order_release);
    auto* from = reinterpret_cast<const char*>(&x);
    for (size_t i = 0, n = words_of(x); i < n; ++i) {
      uint64_t word;
      std::memcpy(&word, from + i * sizeof word, sizeof word);
      to.words[i].store(word, relaxed);
    }
    to.state.store(2 * number, std::memory_order_release);
    break;
  }
  if (number >= wake_at_.load())
    wake();
  prefetch(slot_of(number + 1));
}

trace_ring::found trace_ring::copy(uint64_t number, trace_record& to) const {
  auto& from = slot_of(number);
  auto state = from.state.load(std::memory_order_acquire);
  if (state != 2 * number)
    return state < 2 * number ? found::not_yet : found::gone;
  auto* place = reinterpret_cast<char*>(&to);
  size_t at = 0;
  auto take_up_to = [&](size_t end) {
    for (; at < end; ++at) {
      auto word = from.words[at].load(relaxed);
      std::memcpy(place + at * sizeof word, &word, sizeof word);
    }
  };
  // The head says how long the texts are, unless it is being overwritten.
  take_up_to(head_words);
  take_up_to(std::min(words_of(to), word_count));
  std::atomic_thread_fence(std::memory_order_acquire);
  return from.state.load(relaxed) == state ? found::here : found::gone;
}

size_t trace_ring::read(uint64_t& seen, trace_record* to, size_t max) const {
  size_t n = 0;
  auto newest = newest_.load();
  auto number = std::max(seen, newest > room_ ? newest - room_ : 0) + 1;
  for (; n < max && number <= newest; ++number) {
    auto what = copy(number, to[n]);
    if (what == found::not_yet)
      break;
    if (what == found::gone)
      continue;
    seen = number;
    ++n;
  }
  return n;
}

void trace_ring::wake() {
  if (wake_at_.exchange(UINT64_MAX) == UINT64_MAX)
    return; // Another one did.
  // Whoever is about to wait has seen no event yet, or waits when the lock is free.
  { std::lock_guard<std::mutex> guard{mutex_}; }
  arrived_.notify_one();
}

bool trace_ring::wait(uint64_t seen) {
  std::unique_lock<std::mutex> guard{mutex_};
  // Said again before each look: who wakes takes the number away, be it another one's by then.
  auto reached = [&](uint64_t number) {
    return [this, number] {
      wake_at_ = number;
      return closed_ || newest_ >= number;
    };
  };
  arrived_.wait(guard, reached(seen + 1));
  arrived_.wait_for(guard, gather_time, reached(seen + room_ / 2));
  wake_at_ = UINT64_MAX;
  return newest_ > seen;
}

void trace_ring::close() {
  {
    std::lock_guard<std::mutex> guard{mutex_};
    closed_ = true;
  }
  arrived_.notify_all();
}

} // namespace qnfv
