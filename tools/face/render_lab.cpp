#include "tools/face/json_out.hpp"
#include "tools/face/table.hpp"

#include "runtime/base/units.hpp"

#include <algorithm>

namespace qnfv {

namespace {

std::string joined(const std::vector<std::string>& words, const char* between = ", ") {
  std::string out;
  for (auto& word : words)
    out += (out.empty() ? "" : between) + word;
  return out;
}

std::string span(double s) {
  return format_duration(from_seconds(s));
}

std::string counted(uint64_t n, const std::string& what) {
  return std::to_string(n) + " " + what + (n == 1 ? "" : "s");
}

std::string render_sites(const std::vector<site_status>& all, const face_settings& face) {
  table t{{"SITE", "EPOCH#", "PID#", "UP#", "BEATS#", "ROLES#", "RESTARTS#", "HEARD FROM"}};
  for (auto& x : all) {
    size_t alive = 0;
    uint64_t restarts = 0;
    for (auto& role : x.roles) {
      alive += role.alive ? 1 : 0;
      restarts += role.restarts;
    }
    std::vector<std::string> peers;
    for (auto& peer : x.peers)
      peers.push_back(peer.site.value + " "
                      + (peer.up ? span(peer.silent_s) + " ago"
                                 : coloured("down", face) + ": " + peer.reason));
    t.add({x.site.value, std::to_string(x.epoch), std::to_string(x.pid), span(x.uptime_s), std::to_string(x.heartbeats),
           std::to_string(alive) + "/" + std::to_string(x.roles.size()), std::to_string(restarts),
           joined(peers)});
  }
  return t.text(face, "no site answers");
}

/// Roles down, sites across.
std::string render_roles(const std::vector<site_status>& all, const face_settings& face) {
  std::vector<std::string> titles{"ROLE"}, roles;
  for (auto& site : all) {
    titles.push_back(site.site.value + "#");
    for (auto& x : site.roles)
      if (std::find(roles.begin(), roles.end(), x.role) == roles.end())
        roles.push_back(x.role);
  }
  table t{titles};
  for (auto& role : roles) {
    std::vector<std::string> row{role};
    for (auto& site : all) {
      std::string cell;
      for (auto& x : site.roles)
        if (x.role == role)
          cell = coloured(x.alive ? "alive" : "dead", face)
                 + (x.waiting > 0 ? ", " + std::to_string(x.waiting) + " waiting" : "")
                 + (x.restarts > 0 ? " (" + counted(x.restarts, "restart") + ")" : "");
      row.push_back(cell);
    }
    t.add(row);
  }
  return t.text(face);
}

/// Why a switch does less than it could.
std::string reason_of(const switch_status& x) {
  std::vector<std::string> out;
  if (!x.trouble.empty())
    out.push_back(x.trouble);
  for (auto port : x.failed)
    out.push_back("port " + std::to_string(port) + " failed");
  for (auto port : x.dark)
    out.push_back("no light at port " + std::to_string(port));
  return joined(out);
}

std::string render_switches(const std::vector<switch_status>& all, const face_settings& face) {
  table t{{"SWITCH", "STATE", "MODEL", "JOINED", "COMMANDS#", "MISMATCHES#", "REASON"}};
  for (auto& x : all) {
    std::vector<std::string> pairs;
    for (auto& ports : x.joined)
      pairs.push_back(std::to_string(ports.in) + "-" + std::to_string(ports.out));
    t.add({x.name.value, coloured(x.reachable ? "up" : "down", face), x.model, joined(pairs),
           std::to_string(x.commands), std::to_string(x.mismatches), reason_of(x)});
  }
  return t.text(face);
}

} // namespace

std::string render(const std::vector<hosted_site>& all, const face_settings& face) {
  table t{{"SITE", "HOST", "FOLDER", "KEPT BY", "VERSION", "STATE", "DONE"}};
  for (auto& x : all)
    t.add({x.site.value, x.host, x.folder, x.manager.empty() ? "" : x.manager == "process" ? "supervisor" : "systemd (" + x.manager + ")",
           x.version, coloured(!x.error.empty() ? "failed" : x.running ? "running" : "down", face),
           !x.error.empty() ? x.error : x.done.empty() ? "unchanged" : x.done});
  return t.text(face);
}

std::string render(const lab_report& x, const face_settings& face) {
  std::string out = render_sites(x.sites, face) + "\n";
  for (auto& why : x.silent)
    out += coloured("down", face) + ": " + why + "\n";
  auto part = [&](bool there, const std::string& text) {
    if (there)
      out += "\n" + text + "\n";
  };
  part(!x.sites.empty(), render_roles(x.sites, face));
  part(!x.links.empty(), render(link_list{x.links}, face));
  part(!x.keys.empty(), render(x.keys, face));
  part(!x.switches.empty(), render_switches(x.switches, face));
  part(true, x.transfers.empty() ? "no transfer is under way"
                                 : render(order_list{x.transfers}, face));
  return out;
}

} // namespace qnfv
