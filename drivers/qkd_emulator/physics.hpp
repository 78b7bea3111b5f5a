#pragma once

#include "runtime/messages/links.hpp"

#include <cstdint>

namespace qnfv {

/// A Clavis2-like plug-and-play device running SARG04, as numbers. "typical" values are general
/// knowledge; "fitted" ones make the model meet the paper's five anchors (Figs 7-9: 400 s, 4 kb/s at
/// 0 km; 1265 s, 0.1 kb/s, 5.3 % at 25 km). Five fitted numbers for five anchors: the model is not
/// validated; its worth is that all outputs move together when loss or noise changes.
struct qkd_parameters {
  double gate_rate_hz = 5e6;          ///< typical
  double detector_efficiency = 0.10;  ///< typical
  double dead_time_s = 10e-6;         ///< typical
  double storage_line_km = 10;        ///< typical
  double fibre_speed_km_s = 2e5;      ///< typical
  double fibre_db_per_km = 0.22;      ///< paper: 5 to 6 dB per 25 km
  double fixed_loss_db = 4.8;         ///< paper: two cross connects and connectors
  double error_correction = 1.15;     ///< Cascade, bits disclosed over n h(Q)
  double phase_error_ratio = 1.5;     ///< SARG04, single photons
  double noise_per_gate = 1.137e-4;   ///< fitted: darks, afterpulses, stray light; per detector
  double bob_loss_db = 0.856;         ///< fitted
  double overhead = 0.1691;           ///< fitted: multi-photon and finite-size cost
  double block_sifted_bits = 1.174e6; ///< fitted
  double calibration_s = 248.2;       ///< fitted: line, synchronisation, visibility
};

/// What a line gives.
struct line_figures {
  double loss_db = 0;
  double photon_number = 0;   ///< Mean per pulse leaving Alice.
  double duty = 0;            ///< Share of time in which a pulse train is under way.
  double qber = 0;            ///< 0..1
  double sifted_bps = 0;
  double secret_fraction = 0; ///< 0..1; 0: QBER over the limit.
  double secret_bps = 0;
  double initialisation_s = 0; ///< Calibration and the first block.
  double block_s = 0;          ///< Each further block.
  uint64_t keys_per_block = 0; ///< Of 256 bits.
};

/// Binary entropy in bits; 0 at 0 and 1.
double binary_entropy(double p);

/// The model, for a line of `length_km` (L = L0 + alpha d, t = 10^(-L/10)):
///
///   mu = 2 sqrt(t)                      ps = 1 - exp(-mu t tB eta)    pn = 2 pdc
///   duty = a / (a + b), a = 2 Ls / v, b = 2 (d + Ls) / v
///   e = (1 - V) / 2                     S = ps (1/4 + e/2) + pn/2
///   Q = (ps e/2 + pn/4) / S             Rsift = f duty S / (1 + f (ps + pn) tau)
///   r = max(0, 1 - fEC h(Q) - h(1.5 Q) - c0)
///   R = Rsift r                         Tinit = T0 + N / Rsift
///
/// An eavesdropper who intercepts and resends a share s of the pulses: Eve's basis is wrong half of
/// the time, and then the photon she sends carries a random bit in Alice's basis. So a share s/2 of
/// the photon clicks has error probability 1/2 in place of e; we read this as e' = e + (s/2)(1/2 - e).
line_figures figures_of(double length_km, double extra_loss_db, const line_conditions& line,
                        const qkd_parameters& p = {});

} // namespace qnfv
