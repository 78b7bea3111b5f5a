#pragma once

#include "tools/face/json_out.hpp"
#include "tools/qnfv/operator_session.hpp"

#include <functional>

namespace qnfv {

/// Asks every site over a connection of its own, all at once; the orchestrator's also for links,
/// switches and transfers. Throws if no site answers.
lab_report ask_lab(const lab_dir& lab, const topology& network);

/// Returns when each of `sites` answers with all its roles and has joined those of its neighbours that
/// are among them. `still_well` is called before each look; it throws if waiting on is in vain.
/// Throws after `limit`, with what is missing.
void wait_until_joined(const lab_dir& lab, const topology& network, const std::vector<site_id>& sites,
                       duration limit, const std::function<void()>& still_well = [] {});

std::vector<site_id> all_sites(const topology&);

/// Prints a report as the settings want it.
void show(const lab_report&, const command_settings&);

} // namespace qnfv
