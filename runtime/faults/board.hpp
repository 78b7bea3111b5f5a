#pragma once

#include "runtime/messages/faults.hpp"
#include "runtime/system/environment.hpp"

#include <atomic>
#include <map>
#include <mutex>
#include <optional>

namespace qnfv {

/// What goes wrong at one site now. The injector writes on it; the wrappers of network, disk, clock,
/// channel and VIM read it. Any thread.
class fault_board : public network {
public:
  /// `inner`: what the network does anyway (a simulation's latency); may be null.
  fault_board(site_id site, std::shared_ptr<const qnfv::clock> clock,
              std::shared_ptr<random_source> random, std::shared_ptr<network> inner = nullptr);

  void set(uint64_t id, const fault&);
  void end(uint64_t id);
  /// The injector is gone: nobody is called any more.
  void forget_listeners();
  /// Times that a fault hit something.
  uint64_t hits(uint64_t id) const;

  /// `id` begins when the `nth` message of this type arrives here; then `tell` is called with it.
  void arm(uint64_t id, const std::string& message, uint32_t nth);
  void on_fired(std::function<void(uint64_t id)> tell);
  /// Every message that enters a mailbox of this site.
  void arrived(const caf::type_erased_tuple&);

  // -- messages ---------------------------------------------------------------------------------

  passage judge(const site_id& from, const site_id& to, const caf::type_erased_tuple&) override;
  /// No new connection to `other` comes about.
  bool blocks_connections(const site_id& other) const;
  /// Whether anything at all passes.
  bool carries(const site_id& from, const site_id& to) const;
  /// Called when a flipped bit breaks the connection with a site.
  void on_broken(std::function<void(const site_id&)> tell);
  /// What is half open with `other`; a new connection makes it whole.
  std::vector<uint64_t> half_open(const site_id& other) const;

  // -- image bytes from this site to another ------------------------------------------------------

  struct bytes_passage {
    bool blocked = false; ///< They wait until something changes; see `on_change`.
    bool corrupt = false; ///< A bit of them flips.
    duration delay{0};
  };
  bytes_passage judge_bytes(const site_id& to, size_t count);
  /// Calls back once, when a fault began or ended.
  void on_change(std::function<void()> then);

  // -- disk, clock, VIM -----------------------------------------------------------------------------

  bool disk_is_full();
  bool sync_fails();
  duration disk_delay();
  int64_t wall_offset_ns() const { return wall_offset_ns_; }
  double drift() const { return drift_; }
  enum class vim_verdict : uint8_t { answers, fails, hangs };
  vim_verdict judge_vim();

private:
  struct entry {
    fault what;
    fault_target at;
    uint64_t hits = 0;
  };
  bool on_edge(const entry&, const site_id& from, const site_id& to) const;
  bool strikes(entry&);
  /// The amount of a fault of this kind that is there and strikes now.
  std::optional<double> struck(fault_kind);
  duration queued(const std::pair<site_id, site_id>& edge, double bits, double rate_kbps);
  void refresh();

  const site_id site_;
  const std::shared_ptr<const qnfv::clock> clock_;
  const std::shared_ptr<random_source> random_;
  const std::shared_ptr<network> inner_;
  std::function<void(const site_id&)> broken_;
  std::function<void(uint64_t)> fired_;
  mutable std::mutex mutex_;
  std::map<uint64_t, entry> entries_;
  std::map<std::pair<site_id, site_id>, time_point> free_at_; ///< When a slow line has passed all.
  std::map<std::pair<site_id, site_id>, time_point> last_;    ///< Arrival of the last in order.
  std::vector<std::function<void()>> waiting_;
  struct trigger {
    std::string message;
    uint32_t left = 0;
  };
  std::map<uint64_t, trigger> armed_;
  std::atomic<size_t> armed_count_{0};
  std::atomic<size_t> count_{0}; ///< Nothing set: everything passes at once.
  std::atomic<int64_t> wall_offset_ns_{0};
  std::atomic<double> drift_{0};
};

/// Wall time with the board's jumps, and a monotonic time that runs faster by its drift but never
/// back.
std::shared_ptr<const clock> make_faulty_clock(std::shared_ptr<const clock>,
                                               std::shared_ptr<const fault_board>);

/// Files on a disk that may be full or fail to sync.
std::shared_ptr<storage> make_faulty_storage(std::shared_ptr<storage>, std::shared_ptr<fault_board>);

} // namespace qnfv
