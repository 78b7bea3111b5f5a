#pragma once

#include "drivers/switch_emulator/faces.hpp"
#include "drivers/switch_emulator/scpi_port.hpp"

namespace qnfv {

struct scpi_server_config {
  switch_driver_actor glass; ///< The switch that it speaks for.
  std::shared_ptr<scpi_port> port;
  std::string serial = "000001";
  std::string version = "6.5.2.18"; ///< Of the firmware.
};

struct scpi_server_state {
  ~scpi_server_state() {
    if (config.port)
      config.port->leave(service);
  }
  static inline const char* name = "scpi_server";
  scpi_server_config config;
  uint64_t service = 0;
};

/// Makes the emulated switch answer SCPI: the commands of drivers/scpi/codec.hpp, each client's in
/// order, with an error queue per client. A command whose fate is unknown ends its line without an
/// answer, as if it had been lost. *rst leaves the light alone.
switch_face_actor::behavior_type scpi_server(stateful<switch_face_actor, scpi_server_state>* self,
                                             scpi_server_config config);

/// A failure of the switch as an SCPI error.
scpi_error to_scpi_error(const failure&);

} // namespace qnfv
