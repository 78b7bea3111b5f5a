#include "drivers/qkd_drawn/qkd_drawn.hpp"

#include <algorithm>

namespace qnfv {

namespace {

using namespace std::chrono;
using self_ptr = stateful<qkd_source_actor, qkd_drawn_state>*;
using keys_or_not = result<std::vector<drawn_key>>;

void enter(self_ptr self, qkd_phase phase, std::string reason = {}) {
  auto& s = self->state;
  s.report.phase = phase;
  s.report.reason = std::move(reason);
  self->send(s.config.owner, s.report);
}

void throw_away(self_ptr self, size_t keys, const std::string& why) {
  if (keys == 0)
    return;
  self->state.thrown_away += keys;
  self->note("keys", self->state.config.link.value + ": " + std::to_string(keys)
                       + " keys thrown away: " + why);
}

/// What was under way is over: answers to it come too late.
void end_session(self_ptr self, const std::string& why) {
  auto& s = self->state;
  s.running = false;
  if (auto promise = std::exchange(s.asked, std::nullopt))
    promise->deliver(fail(ec::device_failed, why));
  ++s.generation;
  s.client.reset();
  throw_away(self, s.drawn.size(), why);
  s.drawn.clear();
}

void lose(self_ptr self, qkd_phase phase, const std::string& reason) {
  if (!self->state.running)
    return;
  end_session(self, reason);
  enter(self, phase, reason);
}

/// The client's answer, on the actor; keys for a session that is over are thrown away.
key_server_client::taker deliver_to(self_ptr self, std::function<void(keys_or_not&)> then) {
  auto me = caf::actor_cast<caf::actor_addr>(self);
  auto generation = self->state.generation;
  return [=, trace = current_trace()](keys_or_not x) {
    auto handle = caf::actor_cast<caf::strong_actor_ptr>(me);
    if (!handle)
      return;
    trace_scope scope{trace};
    continue_at(caf::actor_cast<qkd_source_actor>(handle), [=]() mutable {
      if (self->state.generation == generation)
        return then(x);
      throw_away(self, x ? x->size() : 0, "their session is over");
    });
  };
}

/// This end's copy of a block that both ends have.
void emit(self_ptr self, const block_id& block, const std::vector<drawn_key>& keys) {
  auto& s = self->state;
  auto& clock = *self->env().clock;
  auto now = self->now();
  auto took = to_seconds(clock.lab(now - s.last_block));
  s.last_block = now;
  s.report.keys += block.count;
  s.report.secret_rate_bps = took > 0 ? block.count * double{key_bits} / took : 0;
  if (s.report.initialisation_s == 0)
    s.report.initialisation_s = to_seconds(clock.lab(now - s.started));
  self->send(s.config.owner, make_block(block, keys));
  enter(self, qkd_phase::keys_ready);
}

/// What an error of the key server makes of the session.
qkd_phase phase_of(const failure& why) {
  return why.code == ec::not_allowed ? qkd_phase::failed : qkd_phase::lost;
}

// -- Bob's end -----------------------------------------------------------------------------------

void draw(self_ptr self);

void draw_later(self_ptr self, uint32_t ms) {
  self->after(milliseconds{ms}, tick{self->state.generation, "draw"});
}

/// The next wait of a growing row.
uint32_t next_wait(self_ptr self) {
  auto& s = self->state;
  s.wait_ms =
    s.wait_ms == 0 ? s.config.wait_first_ms : std::min(2 * s.wait_ms, s.config.wait_max_ms);
  return s.wait_ms;
}

void fetched_by_alice(self_ptr self, const block_fetched& answer) {
  auto& s = self->state;
  auto keys = select(s.drawn, answer.block, answer.held);
  if (!keys)
    return lose(self, qkd_phase::failed,
                s.config.peer_site.value + " answers nonsense: " + describe(keys.error()));
  auto enough = keys->size() >= block_keys_min;
  throw_away(self, s.drawn.size() - (enough ? keys->size() : 0), "the other end lacks them");
  s.drawn.clear();
  if (enough) {
    emit(self, answer.block, *keys);
    return draw(self);
  }
  ++s.report.failed_blocks;
  enter(self, s.report.phase);
  draw_later(self, next_wait(self));
}

void propose(self_ptr self) {
  auto& s = self->state;
  drawn_block ask;
  auto count = static_cast<uint32_t>(s.drawn.size());
  // Every fourth block is Alice's to hand out.
  auto allocator = s.blocks++ % 4 == 3 ? link_end::alice : link_end::bob;
  ask.block = {s.config.link, s.session, allocator, s.next_counter, count};
  s.next_counter += count;
  for (auto& x : s.drawn)
    ask.names.push_back(x.name);
  auto generation = s.generation;
  auto asked = ask.block;
  self->request(s.config.peer, milliseconds{s.config.fetch_timeout_ms}, std::move(ask))
    .then(
      [self, generation, asked](const block_fetched& answer) {
        if (self->state.generation != generation)
          return;
        auto same = asked;
        same.count = answer.block.count;
        if (answer.block.link != same.link || answer.block.session != same.session
            || answer.block.allocator != same.allocator || answer.block.first != same.first)
          return lose(self, qkd_phase::failed, "the answer is about another block");
        fetched_by_alice(self, answer);
      },
      [self, generation](const caf::error& why) {
        if (self->state.generation == generation)
          lose(self, qkd_phase::lost, "the other end has not fetched the keys: " + describe(why));
      });
}

void drawn(self_ptr self, keys_or_not& x) {
  auto& s = self->state;
  if (!x) {
    auto phase = phase_of(x.error());
    if (phase == qkd_phase::failed || ++s.unreachable >= s.config.unreachable_max)
      return lose(self, phase, describe(x.error()));
    return draw_later(self, next_wait(self));
  }
  s.unreachable = 0;
  if (s.drawn.empty())
    s.drawn_since = self->now();
  auto before = s.drawn.size();
  throw_away(self, take_fresh(std::move(*x), s.drawn, s.config.block_keys_max, *s.seen),
             "repeated, or no keys of 256 bits");
  auto gathered = self->now() - s.drawn_since >= milliseconds{s.config.gather_ms};
  if (s.drawn.size() > before)
    s.wait_ms = 0;
  if (s.drawn.size() >= s.config.block_keys_max
      || (s.drawn.size() >= block_keys_min && s.drawn.size() == before && gathered))
    return propose(self);
  if (s.drawn.size() > before)
    return draw(self);
  auto wait = next_wait(self);
  draw_later(self, s.drawn.size() < block_keys_min ? wait : std::min(wait, s.config.gather_ms));
}

void draw_now(self_ptr self) {
  auto& s = self->state;
  auto room = s.config.block_keys_max - static_cast<uint32_t>(s.drawn.size());
  s.client->draw(room, deliver_to(self, [self](keys_or_not& x) { drawn(self, x); }));
}

void draw(self_ptr self) {
  auto& s = self->state;
  if (!s.config.key_pool || !s.drawn.empty())
    return draw_now(self);
  auto generation = s.generation;
  self
    ->request(s.config.key_pool, milliseconds{s.config.wait_max_ms},
              pool_status_query{s.config.link})
    .then(
      [self, generation](const pool_status& x) {
        if (self->state.generation != generation)
          return;
        if (x.stored + x.ready < self->state.config.pool_keys_enough)
          return draw_now(self);
        draw_later(self, next_wait(self));
      },
      [self, generation](const caf::error&) {
        if (self->state.generation == generation)
          draw_later(self, next_wait(self));
      });
}

// -- Alice's end ---------------------------------------------------------------------------------

void fetched(self_ptr self, const drawn_block& x, keys_or_not& got) {
  auto& s = self->state;
  if (!got)
    return lose(self, phase_of(got.error()), describe(got.error()));
  std::vector<drawn_key> keys;
  throw_away(self, take_fresh(std::move(*got), keys, x.names.size(), *s.seen),
             "repeated, or no keys of 256 bits");
  block_fetched answer{x.block, positions_of(x.names, keys)};
  answer.block.count = static_cast<uint32_t>(keys.size());
  if (keys.size() >= block_keys_min)
    emit(self, answer.block, keys);
  else
    throw_away(self, keys.size(), "too few for a block");
  auto promise = *std::exchange(s.asked, std::nullopt);
  promise.deliver(std::move(answer));
}

caf::result<block_fetched> fetch(self_ptr self, const drawn_block& x) {
  auto& s = self->state;
  if (self->sender_site() != s.config.peer_site)
    return fail(ec::not_allowed, self->sender_site().value + " is not the other end");
  if (!s.running || s.config.end != link_end::alice || x.block.session != s.session
      || x.block.link != s.config.link)
    return fail(ec::device_failed, "no such session at " + s.config.device.value);
  if (s.asked)
    return fail(ec::busy, "another block is being fetched");
  auto problem = problem_of(x.block, x.names, s.config.block_keys_max);
  if (x.block.first < s.next_counter)
    problem = "key numbers that were there before";
  if (!problem.empty())
    return fail(ec::invalid_argument, problem);
  s.next_counter = x.block.first + x.block.count;
  s.asked = self->make_response_promise<block_fetched>();
  auto promise = *s.asked;
  s.client->fetch(x.names,
                  deliver_to(self, [self, x](keys_or_not& got) { fetched(self, x, got); }));
  return promise;
}

// -- both ----------------------------------------------------------------------------------------

caf::error not_ours(self_ptr self) {
  return fail(ec::not_allowed, self->sender_site().value + " does not command device "
                                 + self->state.config.device.value);
}

caf::result<accepted> start(self_ptr self, const start_distilling& x) {
  auto& s = self->state;
  if (x.link != s.config.link)
    return fail(ec::unknown_link, s.config.device.value + " is no end of " + x.link.value);
  if (x.session == s.session && s.running)
    return accepted{};
  if (x.session <= s.session)
    return fail(ec::stale_epoch, "session " + std::to_string(x.session) + " after session "
                                   + std::to_string(s.session));
  auto client = s.config.connect();
  if (!client)
    return fail(ec::device_failed, describe(client.error()));
  end_session(self, "a new session begins");
  s.client = std::move(*client);
  s.session = x.session;
  s.trace = current_trace();
  s.running = true;
  s.next_counter = 0;
  s.blocks = 0;
  s.wait_ms = 0;
  s.unreachable = 0;
  s.started = s.last_block = self->now();
  s.report = device_report{};
  s.report.link = s.config.link;
  s.report.session = s.session;
  enter(self, qkd_phase::raw_exchange);
  if (s.config.end == link_end::bob)
    draw(self);
  return accepted{};
}

} // namespace

qkd_source_actor::behavior_type qkd_drawn(stateful<qkd_source_actor, qkd_drawn_state>* self,
                                          qkd_drawn_config config) {
  auto& s = self->state;
  s.config = std::move(config);
  s.report.link = s.config.link;
  s.seen = std::make_unique<name_memory>(s.config.names_max);
  return {
    [self](const start_distilling& x) -> caf::result<accepted> {
      if (!commands(self->sender_site(), self->env().site))
        return not_ours(self);
      return start(self, x);
    },
    [self](const stop_distilling& x) -> caf::result<accepted> {
      if (!commands(self->sender_site(), self->env().site))
        return not_ours(self);
      auto& state = self->state;
      if (x.link != state.config.link)
        return fail(ec::unknown_link, state.config.device.value + " is no end of " + x.link.value);
      end_session(self, "the session was stopped");
      state.report.phase = qkd_phase::idle;
      return accepted{};
    },
    [](const set_line&) -> caf::result<accepted> {
      return fail(ec::invalid_argument, "this line is not emulated");
    },
    [](const emulated_block&) -> caf::result<accepted> {
      return fail(ec::invalid_argument, "this device is not emulated");
    },
    [](const fibre_light&) {},
    [self](const drawn_block& x) { return fetch(self, x); },
    [self](const device_status_query&) { return self->state.report; },
    [](const peer_up&) {},
    [self](const peer_down& x) {
      if (x.site == self->state.config.peer_site)
        lose(self, qkd_phase::lost, x.site.value + " is gone");
    },
    [self](const tick& x) {
      if (x.generation != self->state.generation || !self->state.running)
        return;
      trace_scope scope{self->state.trace};
      draw(self);
    },
    [](const continuation& x) { x.run(); },
  };
}

} // namespace qnfv
