#include "tools/traces/chain.hpp"

#include "tools/traces/packets.hpp"

#include <algorithm>
#include <set>

namespace qnfv {

namespace {

/// What the paper's capture (Fig. 12) calls a step; messages without a name are details.
const std::map<std::string, std::string> steps{
  {"deliver_image", "POST image"},        {"reserve_keys", "UDP 5323: key for the orchestrator"},
  {"assign_keys", ""},                    {"open_channel", "TCP: image data"},
  {"transfer_offer", "POST notice: image and key id"},
  {"claim_keys", "UDP 5323: key for the gateway"}, {"load_image", ""},
  {"frames", ""},                         {"create_instance", "VIM"},
  {"start_instance", "VIM"},              {"transfer_verdict", "HTTP 200 OK"},
};

} // namespace

const std::vector<std::string> lifelines{"operator", "orchestr.", "stream", "keys",
                                         "gateway",  "stream",    "keys",   "VIM"};

int lifeline_of(const std::string& address, const std::string& orchestrator_site) {
  auto site = site_of_address(address);
  auto role = role_of_address(address);
  if (site == "operator")
    return 0;
  bool here = site == orchestrator_site;
  if (role == "orchestrator" || role == "image_store" || role == "store")
    return 1;
  if (role == "image_stream" || role == "channel")
    return here ? 2 : 5;
  if (role == "key_pool")
    return here ? 3 : 6;
  if (role == "mano_gateway")
    return 4;
  if (role == "vnf_manager" || role.rfind("vim", 0) == 0)
    return 7;
  return -1;
}

std::string paper_step(const std::string& message) {
  auto step = steps.find(message);
  return step == steps.end() ? "" : step->second;
}

std::string speaker_of(const trace_log& log, const std::vector<size_t>& causes, size_t i) {
  auto& x = log.events[i];
  if (causes[i] == trace_log::nobody || log.events[causes[i]].kind != trace_kind::send)
    return x.from;
  auto& send = log.events[causes[i]];
  return x.kind == trace_kind::receive ? send.from : x.kind == trace_kind::reply ? send.to : x.from;
}

std::vector<trace_event> folded(const trace_log& log) {
  auto& events = log.events;
  auto causes = log.causes();
  std::vector<bool> arrived(events.size());
  for (size_t i = 0; i < events.size(); ++i)
    if (events[i].kind == trace_kind::receive && causes[i] != trace_log::nobody)
      arrived[causes[i]] = true;
  std::vector<trace_event> out;
  for (size_t i = 0; i < events.size(); ++i) {
    auto x = events[i];
    if ((x.kind == trace_kind::send && arrived[i]) || wire_piece_of(x))
      continue;
    x.from = speaker_of(log, causes, i);
    out.push_back(std::move(x));
  }
  return out;
}

delivery_sites sites_of(const std::vector<trace_event>& events) {
  delivery_sites out;
  for (auto& x : events) {
    if (role_of_address(x.to) == "orchestrator" && out.orchestrator.empty())
      out.orchestrator = site_of_address(x.to);
    if (role_of_address(x.to) == "mano_gateway")
      out.remote = site_of_address(x.to);
  }
  return out;
}

std::vector<trace_event> paper_chain(const std::vector<trace_event>& folded) {
  auto orchestrator = sites_of(folded).orchestrator;
  std::vector<trace_event> out;
  for (auto& x : folded) {
    bool wanted = steps.count(x.message) > 0
                  && (x.message == "transfer_verdict" ? role_of_address(x.to) == "orchestrator"
                                                      : x.kind != trace_kind::reply);
    // Inside the data centre the manager passes it on to the VIM, and the VIM to its driver.
    if (x.message == "load_image")
      wanted = role_of_address(x.to) == "vnf_manager";
    if (x.message == "create_instance" || x.message == "start_instance")
      wanted = role_of_address(x.to) == "vim";
    if (x.message == "frames")
      wanted = true;
    if (wanted && lifeline_of(x.to, orchestrator) >= 0)
      out.push_back(x);
  }
  return out;
}

} // namespace qnfv
