#include "tools/qnfv/lab_files.hpp"

#include "runtime/deployment/address.hpp"
#include "runtime/messages/admin.hpp"
#include "runtime/storage/storage.hpp"
#include "runtime/system/random.hpp"
#include "runtime/tls/pki.hpp"
#include "tools/qnfv/commands.hpp"
#include "tools/qnfv/key_files.hpp"

#include <cstdlib>

namespace qnfv {

namespace {

void make_certificates(const lab_dir& lab, const topology& network) {
  auto made = pki_init(lab.pki());
  if (!made && made.error().code != ec::already_exists)
    throw command_error{made.error()};
  auto made_or_there = [](const status& ok) {
    if (!ok && ok.error().code != ec::already_exists)
      throw command_error{ok.error()};
  };
  for (auto& site : network.sites) {
    pki_options options;
    if (site.key_server.etsi014) {
      auto& listen = site.key_server.etsi014->listen;
      options.hosts = {value_or_throw(parse_host_port(listen)).host};
    }
    made_or_there(pki_issue(lab.pki(), site.site.value, options));
  }
  made_or_there(pki_issue(lab.pki(), operator_name.value));
  for (auto& x : network.applications)
    made_or_there(pki_issue_application(lab.pki(), x.name, x.certificate));
}

void make_seed(const lab_dir& lab) {
  auto seed = make_system_random()->bytes_of<std::array<uint8_t, 32>>();
  auto ok = write_private_file(lab.seed(), seed);
  if (!ok && ok.error().code != ec::already_exists)
    throw command_error{ok.error()};
}

void make_secrets(const lab_dir& lab, const topology& network) {
  done_or_throw(make_folder(lab.secrets()));
  auto made = [](const failure& why) {
    if (why.code != ec::already_exists)
      throw command_error{why};
  };
  for (auto& site : network.sites)
    if (auto ok = make_seal_key(lab.seal(site.site)); !ok)
      made(ok.error());
  auto link_secret = [&](const link_id& link) {
    if (auto ok = make_link_secret(link_secret_file(lab.secrets(), link), false); !ok)
      made(ok.error());
  };
  for (auto& link : network.links)
    link_secret(link.link);
  for (auto& link : network.virtual_links)
    link_secret(link.link);
}

} // namespace

topology topology_to_run(const std::string& file, double time_scale) {
  auto network = value_or_throw(load_topology(file));
  if (time_scale > 0)
    network.time_scale = time_scale;
  // Checked again: the command line may have changed it.
  return value_or_throw(parse_topology(topology_to_json(network), file));
}

lab_dir open_lab(const std::string& option, const topology& network) {
  lab_dir lab{option.empty() ? home_of_labs() + "/" + network.name : option};
  done_or_throw(make_folder(lab.path));
  char absolute[4096];
  if (::realpath(lab.path.c_str(), absolute))
    lab.path = absolute;
  return lab;
}

void furnish(const lab_dir& lab, const topology& network) {
  make_certificates(lab, network);
  make_secrets(lab, network);
  make_seed(lab);
  auto text = topology_to_json(network);
  auto files = value_or_throw(make_disk_storage(lab.path));
  done_or_throw(files->replace("topology.json", byte_view{std::string_view{text}}));
}

} // namespace qnfv
