#pragma once

// Every message type of the project, in two lists: what may cross hosts, and what never leaves a
// process. Only the first list is registered with CAF (wire.cpp).
//
// Types of the local list must never be registered: CAF 0.17.6 sends an unregistered type nowhere,
// but a registered one whose fields it cannot read arrives as a default-constructed value without
// any error. A test holds the two lists apart.

#include "runtime/messages/message.hpp"

namespace qnfv {

// keys
struct reserve_keys;
struct claim_keys;
struct compare_stores;
struct store_progress;
struct reconcile_now;
struct confirm_block;
struct block_confirmed;
struct assign_keys;
struct keys_assigned;
struct reconcile_keys;
struct keys_gone;
struct pool_status_query;
struct pool_status;
struct keys_status_query;
struct keys_status;
struct key_block;
struct key_grant;
struct key_grants;
// applications
struct application_status_query;
struct application_status;
struct draw_keys;
struct fetch_keys;
// relay
struct relay_keys;
struct wrapped_keys;
struct drop_relay;
struct announce_session;
struct session_announced;
struct relay_status_query;
struct relay_status;
// links
struct start_distilling;
struct stop_distilling;
struct set_line;
struct device_report;
struct device_status_query;
struct emulated_block;
struct drawn_block;
struct block_fetched;
struct links_query;
struct link_list;
struct link_status_query;
struct link_status;
struct link_tick;
// paths
struct cross_connect;
struct disconnect;
struct read_cross_connections;
struct cross_connections;
struct switch_event;
struct switch_status_query;
struct switch_status;
struct switch_fault;
struct connect_path;
struct path_ready;
struct release_path;
struct path_lost;
struct put_flow;
struct flow_stored;
struct remove_flow;
struct paths_query;
struct path_list;
struct fibre_light;
// faults
struct inject_fault;
struct fault_injected;
struct clear_faults;
struct list_faults;
struct fault_list;
struct ballast;
struct poison;
// schedule
struct claim_link;
struct serve_link;
struct release_link;
struct schedule_query;
struct schedule_status;
struct set_policy;
// channels
struct open_channel;
struct expect_channel;
struct channel_address_query;
struct channel_address;
struct channel_opened;
// images
struct add_image;
struct list_images;
struct image_list;
struct remove_image;
struct find_image;
struct image_record;
struct deliver_image;
struct order;
struct order_query;
struct list_orders;
struct order_list;
struct cancel_order;
struct open_stream;
struct stream_opened;
struct run_stream;
struct stream_sent;
struct stream_progress_query;
struct stream_progress;
struct close_stream;
struct accept_stream;
struct await_stream;
struct stream_received;
struct transfer_offer;
struct transfer_accepted;
struct transfer_done;
struct transfer_verdict;
struct transfer_cancel;
// records
struct save_image;
struct forget_image;
struct load_images;
struct save_order;
struct load_orders;
// vnfs
struct load_image;
struct image_sink;
struct unload_image;
struct create_vnf;
struct stop_vnf;
struct list_vnfs;
struct vnf_info;
struct vnf_list;
struct create_instance;
struct start_instance;
struct stop_instance;
struct inspect_instance;
struct instance;
// admin
struct accepted;
struct tick;
struct continuation;
struct join;
struct joined;
struct heartbeat;
struct peer_up;
struct peer_down;
struct peer_reached;
struct peer_lost;
struct site_status_query;
struct site_status;
struct lab_status_query;
struct lab_status;
struct trace_query;
struct trace_page;
struct shutdown_site;
// tracing
struct trace_context;
// streams: what a pump's threads tell its actor
struct pump_finished;

} // namespace qnfv

// What may cross hosts.
CAF_BEGIN_TYPE_ID_BLOCK(qnfv_wire, caf::first_custom_type_id)
  CAF_ADD_TYPE_ID(qnfv_wire, (qnfv::trace_context))
  CAF_ADD_TYPE_ID(qnfv_wire, (qnfv::accepted))
  CAF_ADD_TYPE_ID(qnfv_wire, (qnfv::join))
  CAF_ADD_TYPE_ID(qnfv_wire, (qnfv::joined))
  CAF_ADD_TYPE_ID(qnfv_wire, (qnfv::heartbeat))
  CAF_ADD_TYPE_ID(qnfv_wire, (qnfv::site_status_query))
  CAF_ADD_TYPE_ID(qnfv_wire, (qnfv::site_status))
  CAF_ADD_TYPE_ID(qnfv_wire, (qnfv::lab_status_query))
  CAF_ADD_TYPE_ID(qnfv_wire, (qnfv::lab_status))
  CAF_ADD_TYPE_ID(qnfv_wire, (qnfv::trace_query))
  CAF_ADD_TYPE_ID(qnfv_wire, (qnfv::trace_page))
  CAF_ADD_TYPE_ID(qnfv_wire, (qnfv::shutdown_site))
  CAF_ADD_TYPE_ID(qnfv_wire, (qnfv::confirm_block))
  CAF_ADD_TYPE_ID(qnfv_wire, (qnfv::block_confirmed))
  CAF_ADD_TYPE_ID(qnfv_wire, (qnfv::assign_keys))
  CAF_ADD_TYPE_ID(qnfv_wire, (qnfv::keys_assigned))
  CAF_ADD_TYPE_ID(qnfv_wire, (qnfv::compare_stores))
  CAF_ADD_TYPE_ID(qnfv_wire, (qnfv::store_progress))
  CAF_ADD_TYPE_ID(qnfv_wire, (qnfv::reconcile_now))
  CAF_ADD_TYPE_ID(qnfv_wire, (qnfv::pool_status))
  CAF_ADD_TYPE_ID(qnfv_wire, (qnfv::reconcile_keys))
  CAF_ADD_TYPE_ID(qnfv_wire, (qnfv::keys_gone))
  CAF_ADD_TYPE_ID(qnfv_wire, (qnfv::keys_status_query))
  CAF_ADD_TYPE_ID(qnfv_wire, (qnfv::keys_status))
  CAF_ADD_TYPE_ID(qnfv_wire, (qnfv::relay_keys))
  CAF_ADD_TYPE_ID(qnfv_wire, (qnfv::wrapped_keys))
  CAF_ADD_TYPE_ID(qnfv_wire, (qnfv::drop_relay))
  CAF_ADD_TYPE_ID(qnfv_wire, (qnfv::announce_session))
  CAF_ADD_TYPE_ID(qnfv_wire, (qnfv::session_announced))
  CAF_ADD_TYPE_ID(qnfv_wire, (qnfv::relay_status_query))
  CAF_ADD_TYPE_ID(qnfv_wire, (qnfv::relay_status))
  CAF_ADD_TYPE_ID(qnfv_wire, (qnfv::start_distilling))
  CAF_ADD_TYPE_ID(qnfv_wire, (qnfv::stop_distilling))
  CAF_ADD_TYPE_ID(qnfv_wire, (qnfv::set_line))
  CAF_ADD_TYPE_ID(qnfv_wire, (qnfv::device_status_query))
  CAF_ADD_TYPE_ID(qnfv_wire, (qnfv::device_report))
  CAF_ADD_TYPE_ID(qnfv_wire, (qnfv::emulated_block))
  CAF_ADD_TYPE_ID(qnfv_wire, (qnfv::drawn_block))
  CAF_ADD_TYPE_ID(qnfv_wire, (qnfv::block_fetched))
  CAF_ADD_TYPE_ID(qnfv_wire, (qnfv::links_query))
  CAF_ADD_TYPE_ID(qnfv_wire, (qnfv::link_list))
  CAF_ADD_TYPE_ID(qnfv_wire, (qnfv::link_status))
  CAF_ADD_TYPE_ID(qnfv_wire, (qnfv::cross_connect))
  CAF_ADD_TYPE_ID(qnfv_wire, (qnfv::disconnect))
  CAF_ADD_TYPE_ID(qnfv_wire, (qnfv::read_cross_connections))
  CAF_ADD_TYPE_ID(qnfv_wire, (qnfv::cross_connections))
  CAF_ADD_TYPE_ID(qnfv_wire, (qnfv::switch_event))
  CAF_ADD_TYPE_ID(qnfv_wire, (qnfv::switch_status_query))
  CAF_ADD_TYPE_ID(qnfv_wire, (qnfv::switch_status))
  CAF_ADD_TYPE_ID(qnfv_wire, (qnfv::switch_fault))
  CAF_ADD_TYPE_ID(qnfv_wire, (qnfv::connect_path))
  CAF_ADD_TYPE_ID(qnfv_wire, (qnfv::path_ready))
  CAF_ADD_TYPE_ID(qnfv_wire, (qnfv::release_path))
  CAF_ADD_TYPE_ID(qnfv_wire, (qnfv::path_lost))
  CAF_ADD_TYPE_ID(qnfv_wire, (qnfv::put_flow))
  CAF_ADD_TYPE_ID(qnfv_wire, (qnfv::flow_stored))
  CAF_ADD_TYPE_ID(qnfv_wire, (qnfv::remove_flow))
  CAF_ADD_TYPE_ID(qnfv_wire, (qnfv::paths_query))
  CAF_ADD_TYPE_ID(qnfv_wire, (qnfv::path_list))
  CAF_ADD_TYPE_ID(qnfv_wire, (qnfv::fibre_light))
  CAF_ADD_TYPE_ID(qnfv_wire, (qnfv::inject_fault))
  CAF_ADD_TYPE_ID(qnfv_wire, (qnfv::fault_injected))
  CAF_ADD_TYPE_ID(qnfv_wire, (qnfv::clear_faults))
  CAF_ADD_TYPE_ID(qnfv_wire, (qnfv::list_faults))
  CAF_ADD_TYPE_ID(qnfv_wire, (qnfv::fault_list))
  CAF_ADD_TYPE_ID(qnfv_wire, (qnfv::claim_link))
  CAF_ADD_TYPE_ID(qnfv_wire, (qnfv::serve_link))
  CAF_ADD_TYPE_ID(qnfv_wire, (qnfv::release_link))
  CAF_ADD_TYPE_ID(qnfv_wire, (qnfv::schedule_query))
  CAF_ADD_TYPE_ID(qnfv_wire, (qnfv::schedule_status))
  CAF_ADD_TYPE_ID(qnfv_wire, (qnfv::set_policy))
  CAF_ADD_TYPE_ID(qnfv_wire, (qnfv::add_image))
  CAF_ADD_TYPE_ID(qnfv_wire, (qnfv::list_images))
  CAF_ADD_TYPE_ID(qnfv_wire, (qnfv::image_list))
  CAF_ADD_TYPE_ID(qnfv_wire, (qnfv::remove_image))
  CAF_ADD_TYPE_ID(qnfv_wire, (qnfv::image_record))
  CAF_ADD_TYPE_ID(qnfv_wire, (qnfv::deliver_image))
  CAF_ADD_TYPE_ID(qnfv_wire, (qnfv::order))
  CAF_ADD_TYPE_ID(qnfv_wire, (qnfv::order_query))
  CAF_ADD_TYPE_ID(qnfv_wire, (qnfv::list_orders))
  CAF_ADD_TYPE_ID(qnfv_wire, (qnfv::order_list))
  CAF_ADD_TYPE_ID(qnfv_wire, (qnfv::cancel_order))
  CAF_ADD_TYPE_ID(qnfv_wire, (qnfv::transfer_offer))
  CAF_ADD_TYPE_ID(qnfv_wire, (qnfv::transfer_accepted))
  CAF_ADD_TYPE_ID(qnfv_wire, (qnfv::transfer_done))
  CAF_ADD_TYPE_ID(qnfv_wire, (qnfv::transfer_verdict))
  CAF_ADD_TYPE_ID(qnfv_wire, (qnfv::transfer_cancel))
  CAF_ADD_TYPE_ID(qnfv_wire, (qnfv::stop_vnf))
  CAF_ADD_TYPE_ID(qnfv_wire, (qnfv::list_vnfs))
  CAF_ADD_TYPE_ID(qnfv_wire, (qnfv::vnf_info))
  CAF_ADD_TYPE_ID(qnfv_wire, (qnfv::vnf_list))
CAF_END_TYPE_ID_BLOCK(qnfv_wire)

// What never leaves a process: anything with key bits, sinks and channels, and what only actors of
// one site say to each other.
CAF_BEGIN_TYPE_ID_BLOCK(qnfv_local, caf::id_block::qnfv_wire::end)
  CAF_ADD_TYPE_ID(qnfv_local, (qnfv::key_block))
  CAF_ADD_TYPE_ID(qnfv_local, (qnfv::key_grant))
  CAF_ADD_TYPE_ID(qnfv_local, (qnfv::key_grants))
  CAF_ADD_TYPE_ID(qnfv_local, (qnfv::reserve_keys))
  CAF_ADD_TYPE_ID(qnfv_local, (qnfv::claim_keys))
  CAF_ADD_TYPE_ID(qnfv_local, (qnfv::pool_status_query))
  CAF_ADD_TYPE_ID(qnfv_local, (qnfv::application_status_query))
  CAF_ADD_TYPE_ID(qnfv_local, (qnfv::application_status))
  CAF_ADD_TYPE_ID(qnfv_local, (qnfv::draw_keys))
  CAF_ADD_TYPE_ID(qnfv_local, (qnfv::fetch_keys))
  CAF_ADD_TYPE_ID(qnfv_local, (qnfv::link_status_query))
  CAF_ADD_TYPE_ID(qnfv_local, (qnfv::link_tick))
  CAF_ADD_TYPE_ID(qnfv_local, (qnfv::open_channel))
  CAF_ADD_TYPE_ID(qnfv_local, (qnfv::expect_channel))
  CAF_ADD_TYPE_ID(qnfv_local, (qnfv::channel_address_query))
  CAF_ADD_TYPE_ID(qnfv_local, (qnfv::channel_address))
  CAF_ADD_TYPE_ID(qnfv_local, (qnfv::channel_opened))
  CAF_ADD_TYPE_ID(qnfv_local, (qnfv::find_image))
  CAF_ADD_TYPE_ID(qnfv_local, (qnfv::open_stream))
  CAF_ADD_TYPE_ID(qnfv_local, (qnfv::stream_opened))
  CAF_ADD_TYPE_ID(qnfv_local, (qnfv::run_stream))
  CAF_ADD_TYPE_ID(qnfv_local, (qnfv::stream_sent))
  CAF_ADD_TYPE_ID(qnfv_local, (qnfv::stream_progress_query))
  CAF_ADD_TYPE_ID(qnfv_local, (qnfv::stream_progress))
  CAF_ADD_TYPE_ID(qnfv_local, (qnfv::close_stream))
  CAF_ADD_TYPE_ID(qnfv_local, (qnfv::accept_stream))
  CAF_ADD_TYPE_ID(qnfv_local, (qnfv::await_stream))
  CAF_ADD_TYPE_ID(qnfv_local, (qnfv::stream_received))
  CAF_ADD_TYPE_ID(qnfv_local, (qnfv::pump_finished))
  CAF_ADD_TYPE_ID(qnfv_local, (qnfv::save_image))
  CAF_ADD_TYPE_ID(qnfv_local, (qnfv::forget_image))
  CAF_ADD_TYPE_ID(qnfv_local, (qnfv::load_images))
  CAF_ADD_TYPE_ID(qnfv_local, (qnfv::save_order))
  CAF_ADD_TYPE_ID(qnfv_local, (qnfv::load_orders))
  CAF_ADD_TYPE_ID(qnfv_local, (qnfv::load_image))
  CAF_ADD_TYPE_ID(qnfv_local, (qnfv::image_sink))
  CAF_ADD_TYPE_ID(qnfv_local, (qnfv::unload_image))
  CAF_ADD_TYPE_ID(qnfv_local, (qnfv::create_vnf))
  CAF_ADD_TYPE_ID(qnfv_local, (qnfv::create_instance))
  CAF_ADD_TYPE_ID(qnfv_local, (qnfv::start_instance))
  CAF_ADD_TYPE_ID(qnfv_local, (qnfv::stop_instance))
  CAF_ADD_TYPE_ID(qnfv_local, (qnfv::inspect_instance))
  CAF_ADD_TYPE_ID(qnfv_local, (qnfv::instance))
  CAF_ADD_TYPE_ID(qnfv_local, (qnfv::ballast))
  CAF_ADD_TYPE_ID(qnfv_local, (qnfv::poison))
  CAF_ADD_TYPE_ID(qnfv_local, (qnfv::tick))
  CAF_ADD_TYPE_ID(qnfv_local, (qnfv::continuation))
  CAF_ADD_TYPE_ID(qnfv_local, (qnfv::peer_up))
  CAF_ADD_TYPE_ID(qnfv_local, (qnfv::peer_down))
  CAF_ADD_TYPE_ID(qnfv_local, (qnfv::peer_reached))
  CAF_ADD_TYPE_ID(qnfv_local, (qnfv::peer_lost))
CAF_END_TYPE_ID_BLOCK(qnfv_local)

#define QNFV_LOCAL(Type) CAF_ALLOW_UNSAFE_MESSAGE_TYPE(qnfv::Type)
QNFV_LOCAL(continuation)
QNFV_LOCAL(key_block)
QNFV_LOCAL(key_grant)
QNFV_LOCAL(key_grants)
QNFV_LOCAL(channel_opened)
QNFV_LOCAL(accept_stream)
QNFV_LOCAL(image_sink)
#undef QNFV_LOCAL

namespace qnfv {

/// Registers the wire block and the error category, and sets what every actor system of ours needs:
/// the sharing scheduler (the default burns CPU when idle) and the protocol's name.
void register_wire(caf::actor_system_config&);

} // namespace qnfv
