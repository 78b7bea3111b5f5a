#include "actors/scheduler/policies.hpp"

namespace qnfv {

namespace {

class earliest_deadline : public policy {
public:
  const char* name() const override { return "earliest_deadline"; }

  decision decide(const outlook& now, size_t bob) override {
    auto& b = now.bobs[bob];
    if (b.doing == bob_activity::starting)
      return {};
    auto next = no_link;
    auto least = never_s;
    for (auto i : b.links) {
      auto& x = now.links[i];
      if (i == b.active || !x.available || x.full())
        continue;
      auto life = x.life_s();
      if (next == no_link || life < least || (life == least && x.link < now.links[next].link)) {
        next = i;
        least = life;
      }
    }
    if (next == no_link)
      return {};
    if (b.doing == bob_activity::producing) {
      auto& a = now.links[b.active];
      // Two links that run dry together would send Bob to and fro without this.
      if (!a.full() && a.life_s() <= least + a.initialisation_s)
        return {};
    }
    return {decision::what::go, next, "runs dry first, in " + span_text(least), 0};
  }
};

} // namespace

std::unique_ptr<policy> make_earliest_deadline() {
  return std::make_unique<earliest_deadline>();
}

} // namespace qnfv
