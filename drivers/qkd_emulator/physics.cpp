#include "drivers/qkd_emulator/physics.hpp"

#include <algorithm>
#include <cmath>

namespace qnfv {

double binary_entropy(double p) {
  if (p <= 0 || p >= 1)
    return 0;
  return -p * std::log2(p) - (1 - p) * std::log2(1 - p);
}

line_figures figures_of(double length_km, double extra_loss_db, const line_conditions& line,
                        const qkd_parameters& p) {
  line_figures out;
  out.loss_db = p.fixed_loss_db + p.fibre_db_per_km * length_km + extra_loss_db + line.extra_loss_db;
  auto t = std::pow(10, -out.loss_db / 10);
  auto t_bob = std::pow(10, -p.bob_loss_db / 10);
  out.photon_number = 2 * std::sqrt(t);
  auto signal = 1 - std::exp(-out.photon_number * t * t_bob * p.detector_efficiency);
  auto noise = 2 * p.noise_per_gate * line.noise_factor;
  auto train = 2 * p.storage_line_km / p.fibre_speed_km_s;
  auto round_trip = 2 * (length_km + p.storage_line_km) / p.fibre_speed_km_s;
  out.duty = train / (train + round_trip);
  auto error = (1 - line.visibility) / 2;
  error += line.eavesdropper_share / 2 * (0.5 - error);
  auto sifted = signal * (0.25 + error / 2) + noise / 2;
  out.qber = (signal * error / 2 + noise / 4) / sifted;
  out.sifted_bps = p.gate_rate_hz * out.duty * sifted
                   / (1 + p.gate_rate_hz * (signal + noise) * p.dead_time_s);
  out.secret_fraction = std::max(0.0, 1 - p.error_correction * binary_entropy(out.qber)
                                        - binary_entropy(p.phase_error_ratio * out.qber)
                                        - p.overhead);
  if (p.phase_error_ratio * out.qber >= 0.5)
    out.secret_fraction = 0;
  out.secret_bps = out.sifted_bps * out.secret_fraction;
  out.block_s = p.block_sifted_bits / out.sifted_bps;
  out.initialisation_s = p.calibration_s + out.block_s;
  out.keys_per_block = static_cast<uint64_t>(p.block_sifted_bits * out.secret_fraction / key_bits);
  return out;
}

} // namespace qnfv
