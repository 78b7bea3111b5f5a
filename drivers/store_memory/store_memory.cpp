#include "drivers/store_memory/store_memory.hpp"

#include <algorithm>

namespace qnfv {

namespace {

template <class T, class Id>
void replace(std::vector<T>& all, const T& x, Id T::*id) {
  auto i = std::find_if(all.begin(), all.end(), [&](auto& y) { return y.*id == x.*id; });
  if (i == all.end())
    all.push_back(x);
  else
    *i = x;
}

} // namespace

store_actor::behavior_type store_memory(stateful<store_actor, store_memory_state>* self,
                                        store_memory_config config) {
  self->state.config = std::move(config);
  auto records = self->state.config.records;
  return {
    [records](const save_image& x) {
      replace(records->images, x.record, &image_record::image);
      return accepted{};
    },
    [records](const forget_image& x) {
      auto& all = records->images;
      all.erase(std::remove_if(all.begin(), all.end(), [&](auto& y) { return y.image == x.image; }),
                all.end());
      return accepted{};
    },
    [records](const load_images&) { return image_list{records->images}; },
    [records](const save_order& x) {
      replace(records->orders, x.value, &order::id);
      return accepted{};
    },
    [records](const load_orders&) { return order_list{records->orders}; },
  };
}

} // namespace qnfv
