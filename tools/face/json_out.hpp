#pragma once

// Results of commands: as JSON (one value, stable snake_case keys, units in the names) and as text.

#include "runtime/messages/admin.hpp"
#include "runtime/messages/images.hpp"
#include "runtime/messages/keys.hpp"
#include "runtime/messages/links.hpp"
#include "runtime/messages/paths.hpp"
#include "runtime/messages/relay.hpp"
#include "tools/face/face.hpp"

#include <string>
#include <vector>

namespace qnfv {

/// A lab at one glance.
struct lab_report {
  std::vector<site_status> sites;
  std::vector<keys_status> keys;
  std::vector<switch_status> switches;
  std::vector<link_status> links;
  std::vector<order> transfers;    ///< Orders under way.
  std::vector<std::string> silent; ///< Who did not answer, and why.
};

/// A site on its host, as `qnfv deploy` finds or leaves it.
struct hosted_site {
  site_id site;
  std::string host;
  std::string folder;
  std::string manager; ///< What keeps it running: systemd (system or user), or our own process.
  std::string version;
  bool running = false;
  std::string done;  ///< What was changed; empty: nothing.
  std::string error; ///< Why it is not as it should be.
};

std::string to_json(const image_record&);
std::string to_json(const image_list&);
std::string to_json(const order&);
std::string to_json(const order_list&);
std::string to_json(const vnf_info&);
std::string to_json(const vnf_list&);
std::string to_json(const link_list&);
std::string to_json(const std::vector<keys_status>&);
std::string to_json(const lab_report&);
std::string to_json(const std::vector<hosted_site>&);
/// Of all sites: one value per virtual link, with what every hop has spent for it.
std::string to_json(const std::vector<relay_status>&);

std::string render(const image_list&, const face_settings&);
std::string render(const order_list&, const face_settings&);
std::string render(const vnf_list&, const face_settings&);
std::string render(const link_list&, const face_settings&);
std::string render(const std::vector<keys_status>&, const face_settings&);
std::string render(const lab_report&, const face_settings&);
std::string render(const std::vector<hosted_site>&, const face_settings&);
std::string render(const std::vector<relay_status>&, const face_settings&);

} // namespace qnfv
