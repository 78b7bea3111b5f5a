#define CATCH_CONFIG_RUNNER
#include <catch2/catch.hpp>

int main(int argc, char** argv) {
  return Catch::Session().run(argc, argv);
}

#if defined(__SANITIZE_ADDRESS__)
/// SQLite keeps its memory when a database cannot be opened, and SOCI does not give it back.
extern "C" const char* __lsan_default_suppressions() {
  return "leak:libsqlite3\n";
}
#endif
