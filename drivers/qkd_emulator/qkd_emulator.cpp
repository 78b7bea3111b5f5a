#include "drivers/qkd_emulator/qkd_emulator.hpp"

#include "runtime/crypto/hkdf.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace qnfv {

namespace {

using self_ptr = stateful<qkd_source_actor, qkd_emulator_state>*;

// The jitter must be the same on every machine: the standard's distributions are not.
double uniform(std::mt19937_64& engine) {
  return static_cast<double>(engine() >> 11) * 0x1p-53;
}
double plus_minus(std::mt19937_64& engine, double range) {
  return range * (2 * uniform(engine) - 1);
}

bytes name_of(const block_id& x, const char* label) {
  std::string text = std::string{label} + " " + x.link.value;
  bytes out(text.begin(), text.end());
  uint8_t numbers[13];
  numbers[0] = static_cast<uint8_t>(x.allocator);
  store_be32(numbers + 1, x.session);
  store_be64(numbers + 5, x.first);
  out.insert(out.end(), numbers, numbers + sizeof numbers);
  return out;
}

void tell(self_ptr self) {
  self->send(self->state.config.owner, self->state.report);
}

void enter(self_ptr self, qkd_phase phase, std::string reason = {}) {
  auto& s = self->state;
  s.report.phase = phase;
  s.report.reason = std::move(reason);
  tell(self);
}

void wait(self_ptr self, double lab_s, const char* what) {
  self->after_lab(from_seconds(lab_s), tick{++self->state.generation, what});
}

/// Ends the session by itself: the block under way is thrown away.
void lose(self_ptr self, qkd_phase phase, const std::string& reason) {
  auto& s = self->state;
  if (!s.running)
    return;
  s.running = false;
  ++s.generation;
  enter(self, phase, reason);
}

/// Draws the figures of the next block from the line as it is now.
void draw_block(self_ptr self) {
  auto& s = self->state;
  auto& c = s.config;
  s.block = figures_of(c.length_km, c.extra_loss_db, s.line, c.parameters);
  auto rate = 1 + plus_minus(s.jitter, c.jitter_rate);
  s.block.sifted_bps *= rate;
  s.block.block_s /= rate;
  s.block.qber = std::clamp(s.block.qber + plus_minus(s.jitter, c.jitter_qber), 0.0, 0.5);
  auto& p = c.parameters;
  auto phase_error = p.phase_error_ratio * s.block.qber;
  s.block.secret_fraction =
    phase_error >= 0.5 ? 0
                       : std::max(0.0, 1 - p.error_correction * binary_entropy(s.block.qber)
                                         - binary_entropy(phase_error) - p.overhead);
  s.block.secret_bps = s.block.sifted_bps * s.block.secret_fraction;
  s.block.keys_per_block =
    static_cast<uint64_t>(p.block_sifted_bits * s.block.secret_fraction * s.line.flood_factor / key_bits);
}

void exchange(self_ptr self) {
  draw_block(self);
  enter(self, qkd_phase::raw_exchange);
  wait(self, self->state.block.block_s, "block");
}

/// Emits this end's copy of a block, a little late, as real devices do.
void emit(self_ptr self, const block_id& block) {
  auto& s = self->state;
  s.due.push_back(block);
  self->after_lab(from_seconds(uniform(s.jitter) * s.config.skew_s), tick{s.session, "emit"});
}

/// Blocks leave in the order of their keys, whoever's time has come.
void emit_next(self_ptr self, uint64_t session) {
  auto& s = self->state;
  // Stopped, or another session: the block died with its session.
  if (!s.running || session != s.session || s.due.empty())
    return;
  auto block = s.due.front();
  s.due.pop_front();
  key_block out{block, emulated_bits(s.config.seed, block), {}};
  if (s.line.mismatch_share > 0 && uniform(s.jitter) < s.line.mismatch_share)
    out.material.data()[0] ^= 1;
  s.report.keys += block.count;
  self->send(s.config.owner, std::move(out));
}

/// Tells Alice's end of the next part of the block's keys: a pool may be too small for the whole.
void share(self_ptr self) {
  auto& s = self->state;
  auto parts = (s.unshared + s.config.block_keys_max - 1) / s.config.block_keys_max;
  auto count = s.unshared / parts;
  s.unshared -= count;
  // Every fourth block is Alice's to hand out.
  auto allocator = s.blocks++ % 4 == 3 ? link_end::alice : link_end::bob;
  block_id block{s.config.link, s.session, allocator, s.next_counter, count};
  s.next_counter += count;
  auto generation = ++s.generation;
  self
    ->request(s.config.peer, std::chrono::milliseconds{s.config.request_timeout_ms},
              emulated_block{block})
    .then(
      [self, block, generation](const accepted&) {
        auto& state = self->state;
        if (!state.running || state.generation != generation)
          return;
        if (state.report.initialisation_s == 0)
          state.report.initialisation_s = to_seconds(state.initialising);
        emit(self, block);
        if (state.unshared > 0)
          return share(self);
        enter(self, qkd_phase::keys_ready);
        exchange(self);
      },
      [self, generation](const caf::error& why) {
        if (self->state.running && self->state.generation == generation)
          lose(self, qkd_phase::lost, "the other end does not answer: " + describe(why));
      });
}

/// Bob's end: the sifted bits of a block are there.
void end_block(self_ptr self) {
  auto& s = self->state;
  s.initialising += from_seconds(s.block.block_s);
  s.report.qber = s.block.qber;
  s.report.loss_db = s.block.loss_db;
  s.report.secret_rate_bps = s.block.secret_bps;
  enter(self, qkd_phase::reconcile);
  s.unshared = static_cast<uint32_t>(s.block.keys_per_block);
  if (s.unshared == 0) {
    ++s.report.failed_blocks;
    return exchange(self);
  }
  enter(self, qkd_phase::amplify);
  share(self);
}

bool light_arrives(self_ptr self) {
  auto& s = self->state;
  return s.line.light && s.passed.size() == s.config.switches.size();
}

void next_phase(self_ptr self) {
  auto& s = self->state;
  // The measurement of the line finds out whether there is one.
  if (!light_arrives(self))
    return lose(self, qkd_phase::lost, "no light on the line");
  auto& p = s.config.parameters;
  auto calibration = p.calibration_s * (1 + plus_minus(s.jitter, s.config.jitter_calibration));
  // The split of the calibration time is our choice: 25, 35 and 40 %.
  switch (s.report.phase) {
    case qkd_phase::line_measure:
      s.initialising += from_seconds(0.35 * calibration);
      enter(self, qkd_phase::sync);
      return wait(self, 0.35 * calibration, "phase");
    case qkd_phase::sync:
      s.initialising += from_seconds(0.40 * calibration);
      enter(self, qkd_phase::visibility);
      return wait(self, 0.40 * calibration, "phase");
    default:
      return exchange(self);
  }
}

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
  if (!s.line.light)
    return fail(ec::device_failed, "no light on the line");
  s.session = x.session;
  s.running = true;
  s.next_counter = 0;
  s.blocks = 0;
  s.due.clear();
  s.initialising = duration{0};
  s.report = device_report{};
  s.report.link = s.config.link;
  s.report.session = s.session;
  // Alice's end and Bob's draw from different sequences; both repeat with the seed.
  block_id label{s.config.link, s.session, s.config.end, 0, 0};
  auto material = hkdf_sha256(s.config.seed.view(), {}, name_of(label, "jitter"), 8);
  s.jitter.seed(load_be64(material.view().data()));
  if (s.config.end == link_end::alice) {
    enter(self, qkd_phase::raw_exchange);
    return accepted{};
  }
  auto calibration =
    s.config.parameters.calibration_s * (1 + plus_minus(s.jitter, s.config.jitter_calibration));
  s.initialising = from_seconds(0.25 * calibration);
  enter(self, qkd_phase::line_measure);
  wait(self, 0.25 * calibration, "phase");
  return accepted{};
}

} // namespace

secret emulated_bits(const secret& seed, const block_id& block) {
  auto key = hkdf_sha256(seed.view(), {}, name_of(block, "bits"), 32);
  secret out{block.count * key_bytes};
  auto* context = EVP_CIPHER_CTX_new();
  uint8_t iv[16] = {};
  int n = 0;
  // The stream itself: zeros encrypted in place.
  auto ok = EVP_EncryptInit_ex(context, EVP_aes_256_ctr(), nullptr, key.view().data(), iv) == 1
            && EVP_EncryptUpdate(context, out.data(), &n, out.data(), static_cast<int>(out.size())) == 1;
  EVP_CIPHER_CTX_free(context);
  if (!ok)
    std::abort();
  return out;
}

qkd_source_actor::behavior_type
qkd_emulator(stateful<qkd_source_actor, qkd_emulator_state>* self, qkd_emulator_config config) {
  auto& s = self->state;
  s.config = std::move(config);
  s.report.link = s.config.link;
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
      state.running = false;
      ++state.generation;
      state.report.phase = qkd_phase::idle;
      return accepted{};
    },
    [self](const set_line& x) -> caf::result<accepted> {
      if (!commands(self->sender_site(), self->env().site))
        return not_ours(self);
      auto bad = x.line.visibility < 0 || x.line.visibility > 1 || x.line.noise_factor < 0
                 || x.line.eavesdropper_share < 0 || x.line.eavesdropper_share > 1
                 || x.line.mismatch_share < 0 || x.line.mismatch_share > 1
                 || !(x.line.flood_factor >= 0 && x.line.flood_factor <= 1000)
                 || !std::isfinite(x.line.extra_loss_db) || !std::isfinite(x.line.noise_factor);
      if (bad)
        return fail(ec::invalid_argument, "visibility and shares lie in 0..1, a flood in 0..1000");
      self->state.line = x.line;
      if (!x.line.light)
        lose(self, qkd_phase::lost, "no light on the line");
      return accepted{};
    },
    [self](const emulated_block& x) -> caf::result<accepted> {
      auto& state = self->state;
      if (self->sender_site() != state.config.peer_site)
        return fail(ec::not_allowed, self->sender_site().value + " is not the other end");
      if (!state.running || x.block.session != state.session || x.block.link != state.config.link
          || x.block.count > 4096)
        return fail(ec::device_failed, "no such session at " + state.config.device.value);
      emit(self, x.block);
      return accepted{};
    },
    [self](const fibre_light& x) {
      auto& state = self->state;
      auto known = state.config.switches.find(x.at);
      if (x.link != state.config.link || known == state.config.switches.end()
          || self->sender_site() != known->second)
        return;
      if (x.passes) {
        state.passed.insert(x.at);
      } else if (state.passed.erase(x.at) > 0 && state.report.phase != qkd_phase::line_measure) {
        lose(self, qkd_phase::lost, "no light on the line");
      }
    },
    [](const drawn_block&) -> caf::result<block_fetched> {
      return fail(ec::invalid_argument, "an emulated device draws no keys from servers");
    },
    [self](const device_status_query&) { return self->state.report; },
    [](const peer_up&) {},
    [self](const peer_down& x) {
      if (x.site == self->state.config.peer_site)
        lose(self, qkd_phase::lost, x.site.value + " is gone");
    },
    [self](const tick& x) {
      if (x.what == "emit")
        return emit_next(self, x.generation);
      if (!self->state.running || x.generation != self->state.generation)
        return;
      if (x.what == "phase")
        next_phase(self);
      else
        end_block(self);
    },
    [](const continuation& x) { x.run(); },
  };
}

} // namespace qnfv
