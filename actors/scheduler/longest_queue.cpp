#include "actors/scheduler/policies.hpp"

namespace qnfv {

namespace {

class longest_queue : public policy {
public:
  const char* name() const override { return "longest_queue"; }

  decision decide(const outlook& now, size_t bob) override {
    auto& b = now.bobs[bob];
    if (b.doing == bob_activity::starting)
      return {};
    auto next = no_link;
    for (auto i : b.links) {
      auto& x = now.links[i];
      if (i == b.active || !x.available || x.full())
        continue;
      if (next == no_link || lacks(x) > lacks(now.links[next])
          || (lacks(x) == lacks(now.links[next]) && x.link < now.links[next].link))
        next = i;
    }
    if (next == no_link)
      return {};
    if (b.doing == bob_activity::producing) {
      auto& a = now.links[b.active];
      // A visit shorter than its initialisation wastes most of Bob's day.
      bool young = now.now_s - b.ready_s < a.initialisation_s;
      if (!a.full() && (young || lacks(a) >= lacks(now.links[next])))
        return {};
    }
    return {decision::what::go, next, "lacks most keys", 0};
  }

private:
  static double lacks(const link_outlook& x) { return x.capacity_bits - x.stock_bits; }
};

} // namespace

std::unique_ptr<policy> make_longest_queue() {
  return std::make_unique<longest_queue>();
}

} // namespace qnfv
