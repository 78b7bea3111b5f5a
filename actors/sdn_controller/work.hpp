#pragma once

// The steps of the SDN controller, as its source files share them.

#include "actors/sdn_controller/sdn_controller.hpp"

namespace qnfv {

using controller_ptr = stateful<sdn_controller_actor, sdn_controller_state>*;
using request_ptr = std::shared_ptr<path_request>;

// -- sdn_controller.cpp: the queue
/// Why a request cannot be queued now; none if it can.
caf::error too_much(controller_ptr);
void enqueue(controller_ptr, std::function<void()> work);
/// The end of the work that was under way.
void finish(controller_ptr);

// -- paths.cpp: joining and parting. All of them only as work of the queue.
void connect(controller_ptr, const request_ptr&);
/// Parts all hops, tells the table, and ends with the first failure, if any.
void part(controller_ptr, std::vector<path_hop> hops, std::function<void(const status&)> then);
/// Gives the path up and parts it.
void release(controller_ptr, const std::string& path, std::function<void(const status&)> then);
/// Reads these switches; who does not answer is left out.
void read(controller_ptr, const std::set<switch_id>&, std::function<void(crossbars)> then);
optical_switch_actor switch_of(controller_ptr, const switch_id&);

// -- watch.cpp: what the switches say by themselves
void on_event(controller_ptr, const switch_event&);
void on_switch_gone(controller_ptr, const switch_id&, const std::string& why);
void on_switch_back(controller_ptr, const switch_id&);
/// Compares what is joined with what should be, and puts it in order. Queued once at a time.
void look_soon(controller_ptr);
/// If the path has one.
void tell_owner(controller_ptr, const std::string& path, const std::string& why);
/// Tells the owner of the path and gives it up; a path without an owner is joined again later.
void disturb(controller_ptr, const std::string& path, const std::string& why);

// -- flows.cpp: one cross-connection by hand, remembered across restarts
caf::result<flow_stored> put(controller_ptr, const put_flow&);
caf::result<accepted> remove(controller_ptr, const remove_flow&);
bool is_flow(const std::string& path);
void recall_flows(controller_ptr);

} // namespace qnfv
