# What every target of the project shares, and the two ways to declare a library.

add_library(qnfv_options INTERFACE)
target_compile_options(qnfv_options INTERFACE -Wall -Wextra -Wpedantic -fno-strict-aliasing)
target_include_directories(qnfv_options INTERFACE ${PROJECT_SOURCE_DIR})
# A message type without an id must not compile.
target_compile_definitions(qnfv_options INTERFACE CAF_ENABLE_TYPE_ID_CHECKS BOOST_ASIO_NO_DEPRECATED)
if(QNFV_SANITIZE)
  # CAF 0.17.6 binds a null reference on every spawn without arguments; benign.
  target_compile_options(qnfv_options INTERFACE -fsanitize=${QNFV_SANITIZE} -fno-sanitize=null
                         -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(qnfv_options INTERFACE -fsanitize=${QNFV_SANITIZE})
endif()
if(QNFV_FUZZ)
  target_compile_options(qnfv_options INTERFACE -fsanitize=fuzzer-no-link)
elseif(QNFV_SANITIZE MATCHES undefined)
  # These four double the time that CAF's and Asio's templates take to build. The fuzzers have them, for
  # everything that reads foreign bytes.
  target_compile_options(qnfv_options INTERFACE -fno-sanitize=alignment,object-size,vptr,pointer-overflow)
endif()
if(CCACHE AND CMAKE_CXX_COMPILER_ID STREQUAL GNU)
  target_compile_options(qnfv_options INTERFACE -fpch-preprocess)
elseif(CCACHE)
  target_compile_options(qnfv_options INTERFACE -Xclang -fno-pch-timestamp)
endif()

# One precompiled header for everything that knows CAF.
file(WRITE ${PROJECT_BINARY_DIR}/pch.cpp "")
add_library(qnfv_pch OBJECT ${PROJECT_BINARY_DIR}/pch.cpp)
target_link_libraries(qnfv_pch PRIVATE qnfv_options CAF::io OpenSSL::Crypto)
target_precompile_headers(qnfv_pch PRIVATE <caf/all.hpp> <map> <memory> <string> <vector>)

# qnfv_library(FOLDER [CAF] [DEPS lib...])
# The static library of the current folder: all its .cpp files. The target of runtime/base is
# qnfv_base, of drivers/vim_docker it is qnfv_vim_docker. CAF: the folder may include CAF.
function(qnfv_library name)
  cmake_parse_arguments(ARG "CAF" "" "DEPS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${name}/*.cpp)
  if(NOT sources)
    return() # The room is not furnished yet.
  endif()
  add_library(qnfv_${name} STATIC ${sources})
  target_link_libraries(qnfv_${name} PUBLIC qnfv_options ${ARG_DEPS})
  if(ARG_CAF)
    target_link_libraries(qnfv_${name} PUBLIC CAF::io OpenSSL::Crypto)
    target_precompile_headers(qnfv_${name} REUSE_FROM qnfv_pch)
  endif()
  set_property(GLOBAL APPEND PROPERTY QNFV_LIBRARIES qnfv_${name})
endfunction()

# qnfv_embed(LIBRARY FILE FUNCTION HEADER)
# Makes a text file a part of the library: what FUNCTION, of HEADER, returns.
function(qnfv_embed library file function header)
  set(to ${CMAKE_CURRENT_BINARY_DIR}/${function}.cpp)
  add_custom_command(OUTPUT ${to}
    COMMAND ${CMAKE_COMMAND} -DFROM=${file} -DTO=${to} -DFUNCTION=${function} -DHEADER=${header}
            -P ${PROJECT_SOURCE_DIR}/tools/cmake/embed.cmake
    DEPENDS ${file} ${PROJECT_SOURCE_DIR}/tools/cmake/embed.cmake)
  target_sources(${library} PRIVATE ${to})
endfunction()
