// Everything that CAF makes of our messages, for all other files (message.hpp).

#define QNFV_EXTERN
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
#include "runtime/messages/trace.hpp"
#include "runtime/messages/vnfs.hpp"
