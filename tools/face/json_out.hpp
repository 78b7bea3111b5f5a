#pragma once

// Results of commands: as JSON (one value, stable snake_case keys, units in the names) and as text.

#include "runtime/messages/admin.hpp"
#include "runtime/messages/images.hpp"
#include "runtime/messages/keys.hpp"
#include "runtime/messages/links.hpp"
#include "runtime/messages/relay.hpp"
#include "tools/face/face.hpp"

#include <string>
#include <vector>

namespace qnfv {

std::string to_json(const image_record&);
std::string to_json(const image_list&);
std::string to_json(const order&);
std::string to_json(const order_list&);
std::string to_json(const vnf_info&);
std::string to_json(const vnf_list&);
std::string to_json(const link_list&);
std::string to_json(const std::vector<keys_status>&);
std::string to_json(const lab_status&);
/// Of all sites: one value per virtual link, with what every hop has spent for it.
std::string to_json(const std::vector<relay_status>&);

std::string render(const image_list&, const face_settings&);
std::string render(const order_list&, const face_settings&);
std::string render(const vnf_list&, const face_settings&);
std::string render(const link_list&, const face_settings&);
std::string render(const std::vector<keys_status>&, const face_settings&);
std::string render(const lab_status&, const face_settings&);
std::string render(const std::vector<relay_status>&, const face_settings&);

} // namespace qnfv
