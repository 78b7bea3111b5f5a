#pragma once

#include "drivers/http/door.hpp"
#include "drivers/restconf/codec.hpp"
#include "drivers/switch_emulator/faces.hpp"

namespace qnfv {

struct restconf_server_config {
  switch_driver_actor glass; ///< The switch that it speaks for.
  std::shared_ptr<http_door> door;
  /// What basic_authorization() makes of the one user's name and password. Empty: nobody is asked.
  secret authorization;
  std::string serial = "000001";
  std::string version = "6.5.2.18"; ///< Of the firmware.
  bool old_lists = false;           ///< As firmware of 2017: "pairs".
};

struct restconf_server_state {
  ~restconf_server_state() {
    if (config.door)
      config.door->leave(service);
  }
  static inline const char* name = "restconf_server";
  restconf_server_config config;
  uint64_t service = 0;
  std::deque<http_reply> unanswered; ///< Of commands whose fate is unknown: let go, they would say 503.
};

/// Bounds of the port: bodies of 1 MiB, 10 s for a request, and what the slowest mirrors take for
/// an answer.
http_server_settings restconf_http(const std::string& listen);

/// Makes the emulated switch answer RESTCONF (drivers/restconf/codec.hpp), with entity tags. A
/// PATCH that cannot be done as a whole changes nothing, unless the mirrors fail half-way. A
/// command whose fate is unknown is not answered.
switch_face_actor::behavior_type
restconf_server(stateful<switch_face_actor, restconf_server_state>* self,
                restconf_server_config config);

} // namespace qnfv
