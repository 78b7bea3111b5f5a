#include "runtime/tracing/message_kinds.hpp"

#include "runtime/messages/admin.hpp"
#include "runtime/messages/applications.hpp"
#include "runtime/messages/channels.hpp"
#include "runtime/messages/faults.hpp"
#include "runtime/messages/images.hpp"
#include "runtime/messages/keys.hpp"
#include "runtime/messages/links.hpp"
#include "runtime/messages/paths.hpp"
#include "runtime/messages/relay.hpp"
#include "runtime/messages/schedule.hpp"
#include "runtime/messages/vnfs.hpp"

#include <vector>

namespace qnfv {

namespace {

template <class T, class... Ts>
constexpr bool is_one_of = (std::is_same_v<T, Ts> || ...);

/// Timers, heartbeats, status questions and the comparison of pools: thousands an hour, and what they
/// change leaves a note.
template <class T>
constexpr bool is_chatter
  = is_one_of<T, heartbeat, tick, continuation, link_tick, caf::timeout_msg, caf::down_msg, caf::exit_msg,
              trace_query, trace_page, site_status_query, site_status, lab_status_query, lab_status,
              order_query, list_orders, order_list, stream_progress_query, stream_progress,
              keys_status_query, keys_status, pool_status_query, pool_status, links_query, link_list,
              link_status_query, link_status, device_status_query, reconcile_keys, keys_gone,
              application_status_query, application_status, announce_session, session_announced,
              relay_status_query, relay_status>;

/// Every type of message.wire's two lists, found by the address of its type_info.
class kind_table {
public:
  kind_table() : slots_(1024) {
    add_block<caf::id_block::qnfv_wire>();
    add_block<caf::id_block::qnfv_local>();
  }

  const message_kind* find(const std::type_info* type) const {
    auto i = home(type);
    while (slots_[i].type && slots_[i].type != type)
      i = (i + 1) & (slots_.size() - 1);
    return slots_[i].type ? &slots_[i].kind : nullptr;
  }

private:
  struct slot {
    const std::type_info* type = nullptr;
    message_kind kind;
  };

  size_t home(const std::type_info* type) const {
    return (reinterpret_cast<uintptr_t>(type) >> 3) * 0x9E3779B97F4A7C15ull >> 54; // 10 bits.
  }

  template <class Block>
  void add_block() {
    add_types<Block>(std::make_integer_sequence<long, Block::end - Block::begin>{});
  }

  template <class Block, long... I>
  void add_types(std::integer_sequence<long, I...>) {
    (add<typename caf::type_by_id<Block::begin + I>::type>(), ...);
  }

  template <class T>
  void add() {
    auto i = home(&typeid(T));
    while (slots_[i].type)
      i = (i + 1) & (slots_.size() - 1);
    slots_[i].type = &typeid(T);
    slots_[i].kind.worth_recording = !is_chatter<T>;
    slots_[i].kind.write = [](text_writer& to, const void* x) { to.put_field(*static_cast<const T*>(x)); };
  }

  std::vector<slot> slots_;
};

} // namespace

const message_kind& kind_of(const caf::type_erased_tuple& content) {
  static const kind_table ours;
  // CAF's own signals; an error, and whatever a test makes up.
  static const message_kind signal, other{true, nullptr};
  auto type = content.type(0);
  if (auto* found = type.second ? ours.find(type.second) : nullptr)
    return *found;
  return type == caf::make_rtti_pair<caf::timeout_msg>() || type == caf::make_rtti_pair<caf::down_msg>()
             || type == caf::make_rtti_pair<caf::exit_msg>()
           ? signal
           : other;
}

void write_text(text_writer& to, const caf::type_erased_tuple& content) {
  auto& kind = kind_of(content);
  if (kind.write)
    kind.write(to, content.get(0));
  else
    to.put(content.stringify(0));
}

} // namespace qnfv
