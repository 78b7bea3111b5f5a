#pragma once

// The chain of the paper's Fig. 12 in a trace: what both charts draw, the one for the terminal and the
// one for Mermaid.

#include "tools/traces/log.hpp"

namespace qnfv {

/// Who spoke: of a message from another site its own end knows a number only, but the send tells.
/// `causes` are the log's.
std::string speaker_of(const trace_log& log, const std::vector<size_t>& causes, size_t event);

/// Messages that crossed sites were seen twice: the arrival is kept. In the order of `log`;
/// without what was on the wire.
std::vector<trace_event> folded(const trace_log& log);

/// Of folded events those of the chain.
std::vector<trace_event> paper_chain(const std::vector<trace_event>& folded);

/// What the paper's capture calls this message; empty: it shows no such step.
std::string paper_step(const std::string& message);

/// The two sites of a delivery; empty: not in this trace.
struct delivery_sites {
  std::string orchestrator;
  std::string remote;
};
delivery_sites sites_of(const std::vector<trace_event>&);

/// The lifelines of one delivery, from left to right.
extern const std::vector<std::string> lifelines;
/// Which of them an address belongs to; -1: none.
int lifeline_of(const std::string& address, const std::string& orchestrator_site);

} // namespace qnfv
