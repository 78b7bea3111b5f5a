#pragma once

#include "actors/sdn_controller/fibre_graph.hpp"

namespace qnfv {

/// A path that somebody asked for. It holds its ports from before its first cross-connection is made.
struct held_path {
  path_ready path; ///< While it does not stand: what was asked for.
  site_id asked_by;
  uint64_t epoch = 0;
  bool standing = false;
  std::string trouble;
};

/// What could not be parted yet. It holds its ports, so that nobody builds on what is still joined.
struct leftover {
  std::string path; ///< It was part of.
  path_hop hop;
  std::string why{}; ///< The switch would not part it; empty: it was not asked yet.
};

/// Who holds which port. Every port has one holder at most.
class reservations {
public:
  const std::map<std::string, held_path>& paths() const { return paths_; }
  const std::vector<leftover>& leftovers() const { return leftovers_; }
  held_path* find(const std::string& path);

  /// Empty: nobody; for a leftover "what is left of PATH (WHY)".
  std::string holder(const switch_port&) const;
  /// Holders of these ports other than `path` itself, once each.
  std::set<std::string> holders(const std::vector<path_hop>&, const std::string& path) const;
  bool explains(const path_hop&) const;

  /// All ports or none. Failure: busy, naming the holders. A path of this name is replaced only if
  /// its ports are the same: its other ports would be forgotten.
  status hold(held_path);
  /// The path is no more; what it joined is left over until `parted`.
  void give_up(const std::string& path);
  void parted(const path_hop&);
  void not_parted(const path_hop&, const std::string& why);
  /// Leftovers of one path, or of all.
  std::vector<path_hop> left_of(const std::string& path) const;

private:
  std::map<std::string, held_path> paths_;
  std::map<switch_port, std::string> holder_; ///< Of paths.
  std::vector<leftover> leftovers_;
};

bool operator==(const path_hop&, const path_hop&);
/// "polatis1 1 to 25"
std::string text_of(const path_hop&);

} // namespace qnfv
