#pragma once

// Conversation: the orchestrator's work, and the walk of one image (the paper's Fig. 3).
//
//   operator --add_image, list_images, remove_image--> image_store
//   operator --deliver_image, order_query-----------> orchestrator
//   orchestrator --find_image-----------------------> image_store
//   orchestrator --open_stream, run_stream----------> image_stream      (its own site)
//   orchestrator --transfer_offer, transfer_done----> mano_gateway      (the data centre)
//   mano_gateway --accept_stream, await_stream------> image_stream      (its own site)
//   orchestrator, image_store --save_...------------> store             (driver)

#include "runtime/base/ids.hpp"
#include "runtime/messages/admin.hpp"
#include "runtime/messages/channels.hpp"
#include "runtime/messages/keys.hpp"
#include "runtime/messages/links.hpp"
#include "runtime/messages/vnfs.hpp"

#include <vector>

namespace qnfv {

// -- the catalogue ---------------------------------------------------------------------------------

/// Takes a copy of the file at `path`, read by the orchestrator's site.
struct add_image {
  image_id image;
  image_kind kind = image_kind::container;
  std::string path;
};
QNFV_MESSAGE(add_image, image, kind, path)

struct image_record {
  image_id image;
  image_kind kind = image_kind::container;
  uint64_t size_bytes = 0;
  std::string digest; ///< SHA-256, hexadecimal.
  std::string file;   ///< Path of the copy, within the image store.
};
QNFV_MESSAGE(image_record, image, kind, size_bytes, digest, file)

struct list_images {};
QNFV_SIGNAL(list_images)
struct image_list {
  std::vector<image_record> images;
};
QNFV_MESSAGE(image_list, images)

struct remove_image {
  image_id image;
};
QNFV_MESSAGE(remove_image, image)

struct find_image {
  image_id image;
};
QNFV_MESSAGE(find_image, image)

/// The IMAGE STORE interface: the catalogue of images by name and digest.
using image_store_actor = actor_of<
  // Copies and hashes the file in the background. Errors: invalid_argument, already_exists,
  // storage_failed, not_allowed.
  caf::result<image_record>(add_image),
  caf::result<image_list>(list_images),
  // Errors: unknown_image, not_allowed.
  caf::result<accepted>(remove_image),
  // Errors: unknown_image.
  caf::result<image_record>(find_image),
  caf::result<void>(continuation)>;

// -- orders ----------------------------------------------------------------------------------------

/// "Bring this image to that data centre and start it." Answered at once with the accepted order.
struct deliver_image {
  image_id image;
  site_id site;
};
QNFV_MESSAGE(deliver_image, image, site)

enum class order_state : uint8_t {
  accepted,        ///< Known and durable, nothing sent yet.
  waiting_for_key, ///< The link's pool is empty; asked again until the deadline.
  offering,        ///< The data centre is asked to take the transfer.
  streaming,       ///< Bytes flow.
  installing,      ///< All bytes arrived and are verified; the VIM is at work.
  running,         ///< The VNF runs. Final.
  failed,          ///< With a reason; nothing is left behind. Final.
  cancelled,       ///< Final.
};
constexpr size_t order_state_count = 8;
std::string to_string(order_state);
bool is_final(order_state);

struct order {
  order_id id;
  image_id image;
  site_id site;
  order_state state = order_state::accepted;
  ec code = ec::none;        ///< Why it failed, for programs.
  std::string reason;        ///< Why it is where it is, for people.
  transfer_id transfer;
  key_id key;                ///< All zero until one was granted.
  uint64_t size_bytes = 0;
  uint64_t sent_bytes = 0;   ///< Plaintext bytes handed to the data channel.
  std::string digest;        ///< SHA-256 in the catalogue.
  std::string site_digest;   ///< SHA-256 that the data centre computed.
  vnf_id vnf;
  double stream_s = 0;       ///< First to last byte.
  double total_s = 0;        ///< Accepted to final (so far, if not final).
  std::string trace;         ///< For `qnfv trace show`.
};
QNFV_MESSAGE(order, id, image, site, state, code, reason, transfer, key, size_bytes, sent_bytes,
             digest, site_digest, vnf, stream_s, total_s, trace)

struct order_query {
  order_id id;
};
QNFV_MESSAGE(order_query, id)
struct list_orders {};
QNFV_SIGNAL(list_orders)
struct order_list {
  std::vector<order> orders;
};
QNFV_MESSAGE(order_list, orders)
struct cancel_order {
  order_id id;
};
QNFV_MESSAGE(cancel_order, id)

/// The ORCHESTRATOR interface (NFV CO). All but the events from operators only.
using orchestrator_actor = actor_of<
  // Errors: unknown_image, unknown_site, unknown_link, busy, not_allowed.
  caf::result<order>(deliver_image),
  caf::result<order>(order_query), // Errors: not_found.
  caf::result<order_list>(list_orders),
  caf::result<order>(cancel_order), // Errors: not_found. A final order stays as it is.
  // The functions of all data centres that answer.
  caf::result<vnf_list>(list_vnfs),
  caf::result<vnf_info>(stop_vnf), // Errors: not_found, site_unreachable, vim_failed.
  caf::result<link_list>(links_query),
  caf::result<void>(peer_up), caf::result<void>(peer_down), caf::result<void>(tick)>;

// -- the transfer, between the sites ---------------------------------------------------------------

/// The notice of the paper's workflow (POST /nfvgw/rest/images): which image comes, under which key.
struct transfer_offer {
  transfer_id transfer;
  order_id order;
  image_id image;
  image_kind kind = image_kind::container;
  std::string digest;
  uint64_t size_bytes = 0;
  link_id link;
  key_id key;
  vnf_id vnf;            ///< The function to start from it.
  channel_token token{}; ///< The data connection shows it.
};
QNFV_MESSAGE(transfer_offer, transfer, order, image, kind, digest, size_bytes, link, key, vnf, token)

struct transfer_accepted {
  transfer_id transfer;
};
QNFV_MESSAGE(transfer_accepted, transfer)

/// "All is sent; tell me how it went." Answered when the function runs or the transfer failed.
struct transfer_done {
  transfer_id transfer;
};
QNFV_MESSAGE(transfer_done, transfer)

/// The paper's HTTP 200: verified, loaded and started.
struct transfer_verdict {
  transfer_id transfer;
  std::string digest;
  vnf_info vnf;
};
QNFV_MESSAGE(transfer_verdict, transfer, digest, vnf)

/// Ends the transfer wherever it stands and cleans up. Unknown transfers are fine.
struct transfer_cancel {
  transfer_id transfer;
  std::string reason;
};
QNFV_MESSAGE(transfer_cancel, transfer, reason)

/// The MANO GATEWAY interface: the entry of a data centre. From the orchestrator's site only.
using mano_gateway_actor = actor_of<
  // Errors: not_allowed, invalid_argument, busy, unknown_key, channel_failed, vim_failed.
  caf::result<transfer_accepted>(transfer_offer),
  // Errors: not_found, stream_corrupt, digest_mismatch, channel_failed, vim_failed, cancelled.
  caf::result<transfer_verdict>(transfer_done),
  caf::result<accepted>(transfer_cancel),
  caf::result<vnf_list>(list_vnfs),
  caf::result<vnf_info>(stop_vnf),
  caf::result<void>(peer_up), caf::result<void>(peer_down), caf::result<void>(tick)>;

// -- the stream, inside one site -------------------------------------------------------------------

/// Reserves a key and opens the data channel. The stream then waits for run_stream.
struct open_stream {
  transfer_id transfer;
  link_id link;
  site_id site;
  std::string address;   ///< Data address of the site.
  channel_token token{};
  std::string file;      ///< Through the storage seam.
  uint64_t size_bytes = 0;
  bool again = false;    ///< There was no key the last time; its demand is counted already.
};
QNFV_MESSAGE(open_stream, transfer, link, site, address, token, file, size_bytes, again)

struct stream_opened {
  transfer_id transfer;
  key_id key;
};
QNFV_MESSAGE(stream_opened, transfer, key)

/// Pumps the file; answered when the last byte has left or the stream failed.
struct run_stream {
  transfer_id transfer;
};
QNFV_MESSAGE(run_stream, transfer)

struct stream_sent {
  transfer_id transfer;
  uint64_t size_bytes = 0;
  double seconds = 0;
};
QNFV_MESSAGE(stream_sent, transfer, size_bytes, seconds)

struct stream_progress_query {
  transfer_id transfer;
};
QNFV_MESSAGE(stream_progress_query, transfer)
struct stream_progress {
  transfer_id transfer;
  uint64_t done_bytes = 0;
};
QNFV_MESSAGE(stream_progress, transfer, done_bytes)

/// Claims the key, waits for the data connection and starts to receive into `sink`. Local.
struct accept_stream {
  transfer_id transfer;
  link_id link;
  key_id key;
  channel_token token{};
  std::string digest;
  uint64_t size_bytes = 0;
  std::shared_ptr<byte_sink> sink;

  friend std::string to_string(const accept_stream& x) {
    return "accept_stream(" + to_string(x.transfer) + ", " + x.link.value + ", key "
           + to_string(x.key) + ", " + std::to_string(x.size_bytes) + " B)";
  }
};

/// Answered when the sink has finished or the stream failed.
struct await_stream {
  transfer_id transfer;
};
QNFV_MESSAGE(await_stream, transfer)

struct stream_received {
  transfer_id transfer;
  std::string digest;    ///< Computed over the decrypted bytes.
  std::string vim_image; ///< As the sink named it.
};
QNFV_MESSAGE(stream_received, transfer, digest, vim_image)

/// Ends a stream at this site, in either direction; wipes its key. Unknown transfers are fine.
struct close_stream {
  transfer_id transfer;
  std::string reason;
};
QNFV_MESSAGE(close_stream, transfer, reason)

/// A pump tells its actor that it ended.
struct pump_finished {
  transfer_id transfer;
  ec code = ec::none;
  std::string text;      ///< Reason, or how the sink named the image.
  std::string digest;
  uint64_t size_bytes = 0;
};
QNFV_MESSAGE(pump_finished, transfer, code, text, digest, size_bytes)

/// The IMAGE STREAM interface: one per site, several transfers at a time.
using image_stream_actor = actor_of<
  // Errors: key_exhausted, site_unreachable, channel_failed, storage_failed, busy, maybe_executed.
  caf::result<stream_opened>(open_stream),
  // Errors: not_found, channel_failed, storage_failed, cancelled.
  caf::result<stream_sent>(run_stream),
  caf::result<stream_progress>(stream_progress_query), // Unknown transfers are at zero.
  // Errors: unknown_key, channel_failed, busy.
  caf::result<accepted>(accept_stream),
  // Errors: not_found, stream_corrupt, digest_mismatch, channel_failed, vim_failed, cancelled.
  caf::result<stream_received>(await_stream),
  caf::result<accepted>(close_stream),
  caf::result<void>(pump_finished),
  caf::result<void>(peer_up), caf::result<void>(peer_down), caf::result<void>(tick)>;

// -- records ---------------------------------------------------------------------------------------

struct save_image {
  image_record record;
};
QNFV_MESSAGE(save_image, record)
struct forget_image {
  image_id image;
};
QNFV_MESSAGE(forget_image, image)
struct load_images {};
QNFV_SIGNAL(load_images)
struct save_order {
  order value;
};
QNFV_MESSAGE(save_order, value)
struct load_orders {};
QNFV_SIGNAL(load_orders)

/// The STORE interface: what must survive a restart of the orchestrator. Promises, tested by
/// tests/conformance/store_test.cpp on every driver: an answered save is durable; saving the same
/// name replaces; both loads answer in the order of first saving.
using store_actor = actor_of<
  caf::result<accepted>(save_image), caf::result<accepted>(forget_image),
  caf::result<image_list>(load_images),
  caf::result<accepted>(save_order), caf::result<order_list>(load_orders)>; // Errors: storage_failed.

} // namespace qnfv
