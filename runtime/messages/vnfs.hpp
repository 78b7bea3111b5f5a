#pragma once

// Conversation: inside one data centre, from a verified image to a running function.
//
//   mano_gateway --load_image--> vnf_manager --load_image--> vim --load_image--> driver   (a sink)
//   mano_gateway --create_vnf--> vnf_manager --create_instance, start_instance--> vim --> driver
//   operator --list_vnfs, stop_vnf--> orchestrator --> mano_gateway --> vnf_manager --> vim

#include "runtime/base/ids.hpp"
#include "runtime/messages/admin.hpp"
#include "runtime/messages/channels.hpp"

#include <vector>

namespace qnfv {

/// What an image is made for; a site names one VIM per kind.
enum class image_kind : uint8_t {
  container, ///< Docker archive (docker save).
  disk,      ///< Disk of a virtual machine (qcow2 or raw).
};
std::string to_string(image_kind);
/// Throws nothing; empty if `text` names no kind.
std::optional<image_kind> parse_image_kind(std::string_view text);

/// Opens a place for an image that is about to arrive.
struct load_image {
  transfer_id transfer;
  image_id image;
  image_kind kind = image_kind::container;
  uint64_t size_bytes = 0;
};
QNFV_MESSAGE(load_image, transfer, image, kind, size_bytes)

/// Local: the place.
struct image_sink {
  std::shared_ptr<byte_sink> sink;
  friend std::string to_string(const image_sink&) { return "image_sink"; }
};

/// Removes a loaded image from its VIM. Unknown images are fine.
struct unload_image {
  image_kind kind = image_kind::container;
  std::string vim_image; ///< As byte_sink::finish named it.
};
QNFV_MESSAGE(unload_image, kind, vim_image)

enum class vnf_state : uint8_t { creating, running, stopping, stopped, failed };
constexpr size_t vnf_state_count = 5;
std::string to_string(vnf_state);

/// Creates and starts a function from a loaded image. Repeating it answers the same.
struct create_vnf {
  vnf_id vnf;
  image_id image;
  image_kind kind = image_kind::container;
  std::string vim_image;
};
QNFV_MESSAGE(create_vnf, vnf, image, kind, vim_image)

struct vnf_info {
  vnf_id vnf;
  site_id site;
  image_id image;
  image_kind kind = image_kind::container;
  std::string vim;       ///< Driver that runs it, e.g. "vim_docker".
  std::string vim_image;
  vnf_state state = vnf_state::creating;
  std::string reason;    ///< For failed.
};
QNFV_MESSAGE(vnf_info, vnf, site, image, kind, vim, vim_image, state, reason)

/// Stops and removes the instance and, if no other instance uses it, its loaded image.
struct stop_vnf {
  vnf_id vnf;
};
QNFV_MESSAGE(stop_vnf, vnf)

struct list_vnfs {};
QNFV_SIGNAL(list_vnfs)

struct vnf_list {
  std::vector<vnf_info> vnfs;
  std::vector<site_id> silent; ///< Data centres that did not answer: what runs there is not known.
};
QNFV_MESSAGE(vnf_list, vnfs, silent)

/// The VNF MANAGER interface: life cycle of VNF instances.
using vnf_manager_actor = actor_of<
  caf::result<image_sink>(load_image), // Errors: vim_failed, not_found (no VIM for this kind).
  caf::result<accepted>(unload_image),
  caf::result<vnf_info>(create_vnf),   // Errors: vim_failed; the instance is removed again.
  caf::result<vnf_info>(stop_vnf),     // Errors: not_found, vim_failed.
  caf::result<vnf_list>(list_vnfs),
  caf::result<void>(peer_up), caf::result<void>(peer_down)>;

struct create_instance {
  vnf_id vnf; ///< Names the instance; unique at its site.
  image_kind kind = image_kind::container;
  std::string vim_image;
};
QNFV_MESSAGE(create_instance, vnf, kind, vim_image)

struct start_instance {
  vnf_id vnf;
  image_kind kind = image_kind::container;
};
QNFV_MESSAGE(start_instance, vnf, kind)

/// Stops and removes the instance. An unknown instance is fine.
struct stop_instance {
  vnf_id vnf;
  image_kind kind = image_kind::container;
};
QNFV_MESSAGE(stop_instance, vnf, kind)

struct inspect_instance {
  vnf_id vnf;
  image_kind kind = image_kind::container;
};
QNFV_MESSAGE(inspect_instance, vnf, kind)

struct instance {
  vnf_id vnf;
  bool exists = false;
  bool running = false;
  std::string vim;    ///< Name of the driver.
  std::string detail; ///< Engine's own id or state, for people.
};
QNFV_MESSAGE(instance, vnf, exists, running, vim, detail)

/// The VIM interface, and that of every VIM driver (the vim actor picks the driver by kind).
/// Promises of a driver, tested by tests/conformance/vim_test.cpp:
///  - an image is visible only after its sink finished; an aborted or cut load leaves nothing;
///  - create, start and stop may be repeated; repeating changes nothing;
///  - stop removes; after it `inspect_instance` says it does not exist;
///  - the engine's answers are not trusted: a load is good only if the engine says which image.
using vim_actor = actor_of<
  caf::result<image_sink>(load_image),    // Errors: vim_failed, not_found.
  caf::result<accepted>(unload_image),
  caf::result<instance>(create_instance), // Errors: vim_failed, not_found (image).
  caf::result<instance>(start_instance),  // Errors: vim_failed, not_found (instance).
  caf::result<instance>(stop_instance),   // Errors: vim_failed.
  caf::result<instance>(inspect_instance),
  caf::result<void>(continuation)>;

} // namespace qnfv
