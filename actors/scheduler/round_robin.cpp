#include "actors/scheduler/policies.hpp"

#include <algorithm>

namespace qnfv {

namespace {

class round_robin : public policy {
public:
  const char* name() const override { return "round_robin"; }

  decision decide(const outlook& now, size_t bob) override {
    auto& b = now.bobs[bob];
    last_.resize(std::max(last_.size(), now.bobs.size()), no_link);
    if (b.active != no_link)
      last_[bob] = b.active;
    if (b.doing == bob_activity::starting)
      return {};
    if (b.doing == bob_activity::producing) {
      auto& a = now.links[b.active];
      if (!a.full() && now.now_s - b.ready_s < a.initialisation_s)
        return {};
    }
    auto next = after(now, b, last_[bob]);
    if (next == no_link)
      return {};
    return {decision::what::go, next, "the next in turn", 0};
  }

private:
  static size_t after(const outlook& now, const bob_outlook& b, size_t last) {
    auto n = b.links.size();
    auto at =
      static_cast<size_t>(std::find(b.links.begin(), b.links.end(), last) - b.links.begin());
    for (size_t k = 1; k <= n; ++k) {
      auto i = b.links[(at == n ? k - 1 : at + k) % n];
      if (i != b.active && now.links[i].available && !now.links[i].full())
        return i;
    }
    return no_link;
  }

  std::vector<size_t> last_; ///< Per Bob.
};

} // namespace

std::unique_ptr<policy> make_round_robin() {
  return std::make_unique<round_robin>();
}

} // namespace qnfv
