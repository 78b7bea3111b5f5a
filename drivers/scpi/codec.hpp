#pragma once

// SCPI (SCPI-1999, IEEE 488.2) as the optical circuit switches of Polatis speak it on TCP 5025:
// lines that end with LF or CRLF.
//
//   *idn?                                     Polatis,I-OST-24x24-LU1-DMHNS,002414,6.5.2.18
//   *cls   *rst                               (a command answers nothing)
//   *opc?                                     1, once everything before it is done
//   :oxc:swit:size?                           16,16
//   :oxc:swit:conn:add (@1,2,3),(@17,18,19)   (what is joined stays)
//   :oxc:swit:conn:only (@1,2),(@17,18)       (all else is parted)
//   :oxc:swit:conn:sub (@1),(@17)             (or (@1),(@): whatever 1 is joined to)
//   :oxc:swit:disc:all
//   :oxc:swit:conn:stat?                      (@1,2,3),(@19,18,22), nothing joined: (@),(@)
//   :oxc:swit:conn:port? 2                    "18", not joined: ""
//   :oxc:swit:port:dis (@2,4)   :oxc:swit:port:enab (@2,4)
//   :oxc:swit:port:stat? (@2,4,6)             (D,E,F)
//   :syst:err:all?                            0,"No error", or the queue, oldest first; empties it
//   :syst:comm:netw:addr?                     IP="..." Gateway="..." Mask="..." Broadcast="..."
//
// Keywords have long forms (:OXC:SWITch:CONNect:STATe?), in any case. Several commands of a line
// are separated by ';', and so are the answers to its queries.
//
// Pure and total: any text is commands, answers, or nothing. What is read is never longer than what
// was given.

#include "runtime/base/shown.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace qnfv {

constexpr size_t scpi_line_max = 16384; ///< Bytes of a line; a list of 3,000 ports fits.
constexpr size_t scpi_steps_max = 64;   ///< Commands of a line.
constexpr size_t scpi_errors_max = 16;  ///< In a queue; the last one then says that it is full.

enum class scpi_word : uint8_t {
  identify,
  clear,
  reset,
  complete,
  size,
  connect_add,
  connect_only,
  connect_sub,
  disconnect_all,
  connections,
  connection_of,
  disable,
  enable,
  port_states,
  errors,
  network_address,
};

using scpi_ports = std::vector<uint16_t>;

struct scpi_command {
  scpi_word word = scpi_word::identify;
  scpi_ports first;  ///< Ingress ports; of the port commands: the ports.
  scpi_ports second; ///< Egress ports, one per ingress port; of connect_sub none at all will do.
};

/// SCPI-1999, 21.8. Zero is no error, -100 to -199 say that a command is not understood, -200 to
/// -299 that it cannot be done.
struct scpi_error {
  int code = 0;
  std::string text;
};

/// The commands of one line (without its end), each understood or not. Errors:
///   -101 no text   -102 no syntax   -108, -109 too many or few parameters   -113 no such command
///   -222 no port number   -220 lists of different length   -223 more than scpi_steps_max commands
std::vector<std::variant<scpi_command, scpi_error>> parse_scpi_line(std::string_view line);

/// In its short form, as above.
std::string print_scpi(const scpi_command&);
/// "*cls;A;*opc?": one answer, 1, when `x` is done.
std::string print_scpi_confirmed(const scpi_command& x);

// -- answers; nothing if the text is none -------------------------------------------------------

struct scpi_identity {
  std::string maker, model, serial, version;
};
std::optional<scpi_identity> parse_scpi_identity(std::string_view);
std::string print_scpi(const scpi_identity&);

struct scpi_size {
  uint16_t ingress = 0, egress = 0;
};
std::optional<scpi_size> parse_scpi_size(std::string_view);
std::string print_scpi(const scpi_size&);

/// Ingress and egress ports, in the order of the lists.
using scpi_connections = std::vector<std::pair<uint16_t, uint16_t>>;
std::optional<scpi_connections> parse_scpi_connections(std::string_view);
std::string print_scpi(const scpi_connections&);

/// The port that CONNect:PORT? was asked for is joined to this one; 0: to none.
std::optional<uint16_t> parse_scpi_port(std::string_view);
std::string print_scpi_port(uint16_t);

enum class scpi_port_state : char { disabled = 'D', enabled = 'E', failed = 'F' };
using scpi_port_states = std::vector<scpi_port_state>;
std::optional<scpi_port_states> parse_scpi_states(std::string_view);
std::string print_scpi(const scpi_port_states&);

/// Oldest first; 0,"No error" is an empty queue.
std::optional<std::vector<scpi_error>> parse_scpi_errors(std::string_view);
std::string print_scpi(const std::vector<scpi_error>&);

/// What everybody may see of a line (without its end, which is added): all of it if it is made of the
/// commands or answers above, else its length.
shown_bytes show_scpi(std::string_view line);

/// Adds to an error queue, which stays within its bound (-350, "Queue overflow").
void push_scpi_error(std::vector<scpi_error>& queue, scpi_error x);

} // namespace qnfv
