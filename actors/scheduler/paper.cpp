// The scheduler of Aguado et al., section III, with the readings of README.md:
//
//   hold      the active link a may be left if K_a >= d_a * sum over the others of 2 t_i
//   critical  waiting links by remaining life L = K / d, shortest first; link n is critical if
//             L_n < T_n = sum over i < n of 2 t_i, + t_n
//   change    one is critical and the hold is met: to the shortest-lived
//   alarm     one is critical and the hold is not met; raised until that ends
//   adaptive  none is critical, the hold is met and L_a is not below the others' L: change

#include "actors/scheduler/policies.hpp"

#include <algorithm>
#include <cmath>

namespace qnfv {

namespace {

class paper : public policy {
public:
  explicit paper(adaptive_stop stop) : stop_(stop) {}
  const char* name() const override { return "paper"; }

  decision decide(const outlook& now, size_t bob) override {
    orders_.resize(std::max(orders_.size(), now.bobs.size()));
    alarms_.resize(orders_.size());
    alarms_[bob].reset();
    auto& b = now.bobs[bob];
    if (b.doing == bob_activity::starting)
      return {};
    auto& order = orders_[bob].sort(now, bob);
    if (b.doing == bob_activity::free)
      return go(now, first_that_wants(now, b, order), "has the shortest remaining life");
    return while_producing(now, bob, order);
  }

  std::optional<policy_alarm> alarm(size_t bob) const override {
    return bob < alarms_.size() ? alarms_[bob] : std::nullopt;
  }

private:
  struct others {
    double hold_s = 0; ///< The sum of 2 t_i.
    double longest_s = 0, sum_s = 0;
    size_t n = 0;
    size_t critical = no_link; ///< The first one found,
    double critical_T_s = 0;   ///< and how long it would have to live.
    size_t how_many = 0;
  };

  static others look_at(const outlook& now, const bob_outlook& b,
                        const std::vector<size_t>& order) {
    others out;
    for (auto i : order) {
      auto& x = now.links[i];
      if (i == b.active || !x.available)
        continue;
      auto life = x.life_s();
      auto T = out.hold_s + x.initialisation_s;
      if (life < T && ++out.how_many == 1) {
        out.critical = i;
        out.critical_T_s = T;
      }
      out.hold_s += 2 * x.initialisation_s;
      out.longest_s = std::max(out.longest_s, life);
      out.sum_s += life;
      ++out.n;
    }
    return out;
  }

  decision while_producing(const outlook& now, size_t bob, const std::vector<size_t>& order) {
    auto& b = now.bobs[bob];
    auto& a = now.links[b.active];
    auto next = first_that_wants(now, b, order);
    if (a.full())
      return go(now, next, a.link.value + " is full; has the shortest remaining life");
    auto other = look_at(now, b, order);
    auto missing = a.demand_bps() * other.hold_s - a.stock_bits;
    if (other.critical != no_link) {
      auto& c = now.links[other.critical];
      auto text = c.link.value + " is critical: it lives " + span_text(c.life_s())
                  + " and would need " + span_text(other.critical_T_s);
      if (missing <= 0)
        return go(now, next, text);
      alarms_[bob] = policy_alarm{text + " (" + std::to_string(other.how_many) + " critical), and "
                                    + a.link.value + " is " + std::to_string(std::llround(missing))
                                    + " bits short of what it must hold",
                                  other.critical, c.life_s(), "one more Bob, or less demand"};
      return {};
    }
    if (stop_ == adaptive_stop::off || missing > 0 || other.n == 0)
      return {};
    auto threshold =
      stop_ == adaptive_stop::max ? other.longest_s : other.sum_s / static_cast<double>(other.n);
    if (a.life_s() < threshold)
      return {};
    return go(now, next, a.link.value + " lives as long as the others");
  }

  static size_t first_that_wants(const outlook& now, const bob_outlook& b,
                                 const std::vector<size_t>& order) {
    for (auto i : order) {
      auto& x = now.links[i];
      if (i != b.active && x.available && !x.full())
        return i;
    }
    return no_link;
  }

  static decision go(const outlook&, size_t next, std::string why) {
    if (next == no_link)
      return {};
    return {decision::what::go, next, std::move(why), 0};
  }

  adaptive_stop stop_;
  std::vector<life_order> orders_; ///< Per Bob, as the alarms.
  std::vector<std::optional<policy_alarm>> alarms_;
};

} // namespace

std::unique_ptr<policy> make_paper(adaptive_stop stop) {
  return std::make_unique<paper>(stop);
}

} // namespace qnfv
