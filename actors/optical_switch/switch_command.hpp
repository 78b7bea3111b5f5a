#pragma once

// One command to a switch, from the first look at it to the answer: what to do next, given what came
// back. Pure: the actor carries the steps out.

#include "runtime/base/result.hpp"
#include "runtime/messages/paths.hpp"

#include <optional>
#include <set>
#include <vector>

namespace qnfv {

/// What is joined, ascending, as the switch says.
using joined_ports = std::vector<cross_connection>;

bool contains(const joined_ports&, cross_connection);
/// The other connection that uses one of the two ports.
std::optional<cross_connection> overlap(const joined_ports&, cross_connection);
/// Why these are no ports of an N x N switch (ingress 1..N, egress N+1..2N); empty if they are.
std::string problem_of(cross_connection, uint16_t size);

/// "25", or "nowhere".
std::string where_from(const joined_ports&, port_number in);

class switch_command {
public:
  enum class kind : uint8_t {
    read,
    join,
    part,
    sweep, ///< Looks for what a command of unknown outcome joined late, and parts it.
  };

  struct step {
    enum class act : uint8_t { read, join, part, answer };
    act what = act::answer;
    cross_connection ports; ///< Of join and part.
  };

  switch_command() = default;
  /// `unwanted`: what commands of unknown outcome may have joined, or join still.
  switch_command(kind, cross_connection ports, std::set<cross_connection> unwanted);

  /// It will not be carried out.
  void refuse(failure why) { verdict_ = std::move(why); }
  step start();
  step read_came(const result<joined_ports>&);
  step write_came(const status&);

  // After `answer`:
  const status& verdict() const { return verdict_; }
  const joined_ports& joined() const { return joined_; }
  /// What this command may have joined against its word, or may join still.
  const std::set<cross_connection>& doubtful() const { return doubtful_; }
  /// What was joined before by others and is not any more.
  const std::vector<cross_connection>& vanished() const { return vanished_; }
  bool mismatch() const { return mismatch_; }

private:
  enum class phase : uint8_t { before, clearing, writing, after, undoing, undone };

  step look_before(const result<joined_ports>&);
  step look_after(const result<joined_ports>&);
  step look_undone(const result<joined_ports>&);
  step next_part();
  step write();
  step answer(status);

  kind kind_ = kind::read;
  cross_connection ports_;
  std::set<cross_connection> unwanted_;
  phase phase_ = phase::before;
  uint32_t writes_ = 0;
  bool cleared_ = false;
  std::vector<cross_connection> to_part_;
  joined_ports before_;
  status said_ = done{}; ///< By the driver, to the last write.
  status verdict_ = done{};
  joined_ports joined_;
  std::set<cross_connection> doubtful_;
  std::vector<cross_connection> vanished_;
  bool mismatch_ = false;
};

/// A command whose outcome is unknown is given this often in all.
constexpr uint32_t switch_writes_max = 2;

} // namespace qnfv
