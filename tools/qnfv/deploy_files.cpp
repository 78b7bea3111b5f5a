#include "tools/qnfv/deploy_files.hpp"

#include "runtime/crypto/sha256.hpp"
#include "runtime/storage/storage.hpp"
#include "tools/qnfv/commands.hpp"
#include "tools/qnfv/key_files.hpp"

#include <unistd.h>

#include <algorithm>

namespace qnfv {

namespace {

struct file_facts {
  std::string digest;
  uint64_t size_bytes = 0;
  std::string head; ///< Its first bytes.
};

file_facts look_at(const std::string& path) {
  auto files = value_or_throw(make_disk_storage("/"));
  auto file = value_or_throw(files->open(path));
  file_facts out;
  sha256 sum;
  bytes part(1u << 20);
  for (size_t n = 1; n > 0; out.size_bytes += n) {
    n = value_or_throw(file->read(out.size_bytes, part.data(), part.size()));
    sum.update(byte_view{part}.part(0, n));
    if (out.size_bytes == 0)
      out.head.assign(part.begin(), part.begin() + static_cast<long>(std::min<size_t>(n, 64)));
  }
  out.digest = to_hex(sum.finish());
  return out;
}

/// Of a file that others may not know: its bytes stay in locked memory.
file_facts look_at_secret(const std::string& path) {
  auto content = value_or_throw(read_private_file(path));
  return {to_hex(sha256::of(content.view())), content.size(), {}};
}

std::string own_program() {
  char path[4096];
  auto n = ::readlink("/proc/self/exe", path, sizeof path);
  return n > 0 ? std::string(path, static_cast<size_t>(n)) : "";
}

} // namespace

site_program program_to_deploy(const std::string& path) {
  site_program out;
  char absolute[4096];
  out.path = path.empty() ? own_program() : path;
  if (::realpath(out.path.c_str(), absolute))
    out.path = absolute;
  auto facts = look_at(out.path);
  out.digest = facts.digest;
  out.size_bytes = facts.size_bytes;
  out.processor = processor_of_elf(facts.head);
  if (out.processor.empty() && facts.head.rfind("#!", 0) != 0)
    throw command_error{{ec::bad_config, out.path + ": no program for Linux"}};
  return out;
}

void write_deployed_topology(const lab_dir& lab, topology network) {
  for (auto& site : network.sites)
    site.deploy = {};
  auto text = topology_to_json(network);
  auto files = value_or_throw(make_disk_storage(lab.path));
  done_or_throw(files->replace("deployed.json", byte_view{std::string_view{text}}));
}

bool is_deployed(const lab_dir& lab) {
  return ::access((lab.path + "/deployed.json").c_str(), F_OK) == 0;
}

site_wanted files_of_site(const lab_dir& lab, const topology& network, const site_config& site,
                          const site_program& program) {
  site_wanted out;
  out.site = site.site;
  out.processor = program.processor;
  out.version = program.version();
  out.files.push_back({"versions/" + program.version() + "/qnfv", "755", program.digest,
                       program.size_bytes, program.path});
  auto add = [&](const std::string& path, const std::string& mode, const std::string& source) {
    auto facts = mode == "644" ? look_at(source) : look_at_secret(source);
    out.files.push_back({path, mode, facts.digest, facts.size_bytes, source});
  };
  auto& name = site.site.value;
  add("topology.json", "644", lab.path + "/deployed.json");
  add("pki/ca.pem", "644", lab.pki() + "/ca.pem");
  add("pki/" + name + ".pem", "644", lab.pki() + "/" + name + ".pem");
  add("pki/" + name + ".key", "600", lab.pki() + "/" + name + ".key");
  add("secrets/" + name + ".seal", "400", lab.seal(site.site));
  auto add_secret = [&](const link_id& link) {
    auto source = link_secret_file(lab.secrets(), link);
    add(source.substr(lab.path.size() + 1), "400", source);
  };
  bool emulated = false;
  for (auto* link : network.links_of(site.site)) {
    add_secret(link->link);
    emulated = emulated || link->source == "qkd_emulator";
  }
  for (auto* link : network.virtual_links_of(site.site))
    add_secret(link->link);
  if (emulated)
    add("secrets/emulator.seed", "400", lab.seed());
  return out;
}

} // namespace qnfv
