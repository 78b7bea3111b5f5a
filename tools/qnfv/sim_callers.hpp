#pragma once

#include "tools/qnfv/invariants.hpp"

namespace qnfv {

/// People and programs at the sites of a simulated lab. Some draw keys at one end of a link and fetch
/// them at the other; some ask for what must be refused: in another's name (I16, I17), or as a
/// scheduler that is over (I43).
class sim_callers {
public:
  sim_callers(simulation&, invariant_checker&, uint64_t seed);

  duration gap(double calls_per_h);
  /// One of them, now.
  void call();

private:
  struct line {
    link_id link;
    site_id bob_end;
    site_id alice_end;
    bool scheduled = false;
  };

  template <class T>
  const T& one_of(const std::vector<T>& all) {
    return all[random_->next() % all.size()];
  }
  /// Another site than these, or nothing.
  std::optional<site_id> stranger_to(const std::vector<site_id>&);
  void draw_keys();
  void assign_as_another();
  void command_as_an_old_scheduler();
  void order_as_another();
  void relay_as_another();
  void end_or_join_as_another();

  /// `ask` was refused for who asked it, or did not arrive.
  template <class T>
  void must_be_refused(const result<T>& answer, const char* invariant, const std::string& what) {
    auto code = answer ? ec::none : answer.error().code;
    auto is_one_of = [code](auto... codes) { return ((code == codes) || ...); };
    if (!is_one_of(ec::not_allowed, ec::stale_epoch, ec::site_unreachable, ec::maybe_executed,
                   ec::storage_failed, ec::unknown_link))
      checker_.fail(std::string{invariant} + " not refused: " + what
                    + (answer ? "" : ", but: " + describe(answer.error())));
  }

  simulation& sim_;
  invariant_checker& checker_;
  std::shared_ptr<random_source> random_; ///< Their own: without them a seed is the same story.
  std::vector<line> lines_;
};

} // namespace qnfv
