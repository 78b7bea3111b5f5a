#pragma once

// A circuit switch as it describes itself in OpenFlow. Pure.

#include "drivers/openflow/codec.hpp"
#include "runtime/messages/paths.hpp"

#include <set>

namespace qnfv {

class circuit_view {
public:
  circuit_view() = default;
  /// Errors: device_failed (its circuit ports are not 1..2N).
  static result<circuit_view> of(const openflow_features&);

  uint64_t datapath() const { return datapath_; }
  port_number size() const { return size_; }
  /// Ascending. A port is joined with the one that it names as its peer in its own switch.
  const std::vector<cross_connection>& joined() const { return joined_; }
  const std::set<port_number>& dark() const { return dark_; }
  const std::set<port_number>& failed() const { return failed_; }
  bool has(const cross_connection& x) const {
    return x.in >= 1 && x.in <= size_ && x.out > size_ && x.out <= 2 * size_;
  }

  /// What that means for paths, if anything. Nothing of ports that it does not have. A peer in the
  /// switch's own datapath, or port 0 of it, is what the port is joined with now.
  std::vector<switch_event> update(const openflow_cport_status&);

private:
  /// False: it was so already.
  bool rejoin(port_number port, port_number peer);

  uint64_t datapath_ = 0;
  port_number size_ = 0;
  std::vector<cross_connection> joined_;
  std::set<port_number> dark_;
  std::set<port_number> failed_;
};

/// The circuit that is joined, or parted.
openflow_cflow_mod circuit_of(const cross_connection&, bool join);

/// The error of the SWITCH DRIVER interface for one of OpenFlow.
failure failure_of(const openflow_error&, const std::string& who, const cross_connection&);

} // namespace qnfv
