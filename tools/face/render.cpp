#include "tools/face/json_out.hpp"
#include "tools/face/relays.hpp"
#include "tools/face/table.hpp"

#include "runtime/base/units.hpp"

#include <cstdio>

namespace qnfv {

namespace {

std::string number(double x, const char* format) {
  char out[32];
  std::snprintf(out, sizeof out, format, x);
  return out;
}

std::string seconds(double s) {
  return s > 0 ? format_duration(from_seconds(s)) : "";
}

} // namespace

std::string render(const image_list& all, const face_settings& face) {
  table t{{"IMAGE", "KIND", "SIZE#", "SHA-256"}};
  for (auto& x : all.images)
    t.add({x.image.value, to_string(x.kind), format_bytes(x.size_bytes), x.digest});
  return t.text(face, "the catalogue is empty; add an image with: qnfv image add NAME FILE");
}

std::string render(const order_list& all, const face_settings& face) {
  table t{{"ORDER", "IMAGE", "SITE", "STATE", "SIZE#", "STREAM#", "MB/S#", "VNF", "REASON"}};
  for (auto& x : all.orders)
    t.add({x.id.value, x.image.value, x.site.value, coloured(to_string(x.state), face),
           format_bytes(x.size_bytes), seconds(x.stream_s),
           x.stream_s > 0 ? number(static_cast<double>(x.size_bytes) / 1e6 / x.stream_s, "%.0f") : "",
           x.vnf.value, x.reason});
  return t.text(face, "no orders yet; place one with: qnfv image push NAME SITE");
}

std::string render(const vnf_list& all, const face_settings& face) {
  table t{{"VNF", "SITE", "IMAGE", "KIND", "VIM", "STATE", "REASON"}};
  for (auto& x : all.vnfs)
    t.add({x.vnf.value, x.site.value, x.image.value, to_string(x.kind), x.vim,
           coloured(to_string(x.state), face), x.reason});
  return t.text(face, all.silent.empty() ? "no functions run; start one with: qnfv image push NAME SITE"
                                         : "no functions are known to run");
}

std::string render(const link_list& all, const face_settings& face) {
  table t{{"LINK", "SITES", "KM#", "STATE", "PHASE", "SESSION#", "QBER#", "LOSS#", "RATE#", "KEYS#",
           "REASON"}};
  bool any_past = false;
  for (auto& x : all.links) {
    auto& d = x.device;
    auto runs = x.state == link_state::initialising || x.state == link_state::distilling;
    auto measured = [&](double value, const std::string& text) {
      if (value <= 0)
        return std::string{};
      any_past = any_past || !runs;
      return runs ? text : "(" + text + ")";
    };
    t.add({x.link.value, x.bob_site.value + " - " + x.alice_site.value, number(x.length_km, "%.1f"),
           coloured(to_string(x.state), face), to_string(d.phase), std::to_string(x.session),
           measured(d.qber, number(100 * d.qber, "%.2f %%")), measured(d.loss_db, number(d.loss_db, "%.1f dB")),
           measured(d.secret_rate_bps, number(d.secret_rate_bps, "%.0f b/s")), std::to_string(d.keys), x.reason});
  }
  return t.text(face, "this lab has no QKD links") + (any_past ? "\n(In brackets: of its last session.)" : "");
}

std::string render(const std::vector<keys_status>& all, const face_settings& face) {
  table t{{"SITE", "LINK", "END", "READY#", "OURS#", "KEPT#", "STORED#", "PROMISED#", "CONSUMED#",
           "DESTROYED#", "DEMAND#", "SEEN BY"}};
  std::string troubles;
  for (auto& site : all)
    for (auto& p : site.pools) {
      std::string seen;
      for (auto& node : p.exposed_to)
        seen += (seen.empty() ? "" : ", ") + node.value;
      t.add({site.site.value, p.link.value, to_string(p.end), std::to_string(p.ready),
             std::to_string(p.ready_here), std::to_string(p.kept), std::to_string(p.stored),
             std::to_string(p.reserved + p.assigned), std::to_string(p.consumed),
             std::to_string(p.destroyed), number(p.demand_bits_per_s, "%.2f b/s"), seen});
      if (!p.trouble.empty())
        troubles += "\n" + coloured("trouble", face) + " at " + site.site.value + ", " + p.link.value + ": "
                    + p.trouble;
    }
  return t.text(face, "no site has a key pool") + troubles;
}

std::string render(const std::vector<relay_status>& all, const face_settings& face) {
  table t{{"LINK", "STOCK#", "SESSION#", "PATHS", "SEEN BY", "RELAYS#", "FAILED#", "SPENT", "REASON"}};
  for (auto& x : virtual_links_of(all)) {
    auto listed = [](const auto& items, const char* between, auto text) {
      std::string out;
      for (auto& item : items)
        out += (out.empty() ? "" : between) + text(item);
      return out;
    };
    auto seen_by = listed(x.exposed_to, ", ", [](auto& site) { return site.value; });
    t.add({x.link.value, std::to_string(x.stock) + "/" + std::to_string(x.keys_high),
           std::to_string(x.session),
           listed(x.paths, " + ", [](auto& path) { return to_string(path); }),
           seen_by + (x.each_sees_keys || seen_by.empty() ? "" : " (shares only)"),
           std::to_string(x.relays_done), std::to_string(x.relays_failed),
           listed(spent_for(x.link, all), ", ",
                  [](auto& y) { return y.hop.value + " " + std::to_string(y.keys); }),
           x.trouble.empty() ? x.last_reason : coloured("waits", face) + ": " + x.trouble});
  }
  return t.text(face, "this lab has no virtual links");
}

} // namespace qnfv
