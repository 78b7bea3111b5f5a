// What a site remembers in small files: a link's history, the demand that a scheduler learnt, the highest
// epoch of one.

#include "actors/link/history.hpp"
#include "actors/scheduler/learnt.hpp"
#include "runtime/storage/epoch_fence.hpp"
#include "runtime/storage/memory.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace qnfv;
using namespace qnfv::fuzz;

QNFV_FUZZER(data, size) {
  auto history = bounded(size, of_bytes, [&] { return parse_link_history(text_of(data, size)); });
  if (history) {
    auto text = text_of(data, size);
    for (auto name : {"session=", "epoch=", "sessions_with_keys=", "mean_initialisation_s=",
                      "mean_secret_rate_bps=", "mean_qber="})
      hold(text.find(name) != text.npos || text.find('=') == text.npos,
           "a history is whole, or a bare session number");
    auto written = to_text(*history);
    auto again = parse_link_history(written);
    hold(again && again->session == history->session && again->epoch == history->epoch
           && to_text(*again) == written,
         "a history that was understood can be written");
  }
  if (auto demands = bounded(size, of_json, [&] { return parse_learnt_demands(text_of(data, size)); })) {
    auto written = to_text(*demands);
    auto again = parse_learnt_demands(written);
    hold(again && again->size() == demands->size() && to_text(*again) == written,
         "demands that were understood can be written");
  }
  auto files = std::make_shared<memory_storage>();
  const bytes content{data, data + size};
  files->restore({{"epochs/scheduler", content}});
  epoch_fence fence{files, "scheduler"};
  auto highest = fence.highest();
  auto admitted = fence.admit(highest > 0 ? highest : 1);
  if (!admitted) {
    hold(admitted.error().code == ec::storage_failed, "only a damaged fence refuses what is not older");
    hold(files->snapshot().at("epochs/scheduler") == content, "and its file stays as it is");
    return 0;
  }
  hold(highest < 2 || !fence.admit(highest - 1), "an older epoch is refused");
  if (highest < UINT64_MAX) {
    hold(bool{fence.admit(highest + 1)}, "a younger one is admitted");
    hold(epoch_fence(files, "scheduler").highest() == highest + 1, "and remembered");
  }
  return 0;
}
