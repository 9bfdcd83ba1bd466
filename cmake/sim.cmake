# The simulation: a library for the product's "blixard sim", a program of its own that needs no daemon, and the same
# program with deliberate faults in the product's logic (base/mutant.h), built only when asked for.
file(GLOB sim_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/sim/*.cc ${CMAKE_SOURCE_DIR}/sim/history/*.cc)
list(FILTER sim_sources EXCLUDE REGEX "(_test|/main)\\.cc$")
if(NOT BLIXARD_COMMIT)
    execute_process(COMMAND git -C ${CMAKE_SOURCE_DIR} rev-parse --short=12 HEAD OUTPUT_VARIABLE BLIXARD_COMMIT
                    OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
endif()
set_source_files_properties(${CMAKE_SOURCE_DIR}/sim/sim.cc PROPERTIES COMPILE_DEFINITIONS "BLIXARD_COMMIT=\"${BLIXARD_COMMIT}\"")
add_library(blixard_sim STATIC ${sim_sources})
target_link_libraries(blixard_sim PUBLIC blixard_agent blixard_controller blixard_api blixard_recorder blixard_store_memory)
blixard_pch(blixard_sim)
add_executable(blixard-sim ${CMAKE_SOURCE_DIR}/sim/main.cc)
target_link_libraries(blixard-sim PRIVATE blixard_sim)
blixard_pch(blixard-sim)

file(GLOB sim_tests CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/sim/*_test.cc ${CMAKE_SOURCE_DIR}/sim/history/*_test.cc)
add_executable(test_sim ${sim_tests})
target_link_libraries(test_sim PRIVATE blixard_sim gtest gtest_main gmock rapidcheck)
blixard_pch(test_sim)
add_test(NAME sim COMMAND test_sim)

# The rooms with switches are compiled once more; the linker takes these objects before the libraries'.
set(mutant_sources)
foreach(room agent controller api view scheduler)
    file(GLOB room_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${room}/*.cc)
    list(APPEND mutant_sources ${room_sources})
endforeach()
list(FILTER mutant_sources EXCLUDE REGEX "(_test|_fuzz)\\.cc$")
add_executable(blixard-sim-mutants EXCLUDE_FROM_ALL ${CMAKE_SOURCE_DIR}/sim/main.cc ${sim_sources} ${mutant_sources})
target_compile_definitions(blixard-sim-mutants PRIVATE BLIXARD_MUTANTS)
target_link_libraries(blixard-sim-mutants PRIVATE blixard_agent blixard_controller blixard_api blixard_recorder blixard_store_memory)
