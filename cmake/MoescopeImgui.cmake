# Dear ImGui and its test engine from the sources ./lab unpacks, built once into one library. 32-bit indices and the
# test-engine hooks are PUBLIC definitions so that every user agrees with the build. Programs link
# moescope_imgui_no_engine, which holds the four empty hooks; tests link moescope_imgui_engine instead.
if(NOT MOESCOPE_IMGUI_DIR)
  return()
endif()
set(imgui ${MOESCOPE_IMGUI_DIR}/imgui)
set(engine ${MOESCOPE_IMGUI_DIR}/imgui_test_engine/imgui_test_engine)
if(NOT EXISTS ${imgui}/imgui.cpp)
  message(FATAL_ERROR "No Dear ImGui in '${MOESCOPE_IMGUI_DIR}'. Run ./lab setup, which unpacks it.")
endif()

# Not our code: warnings off, and optimised in every build type, since an unoptimised ImGui is too slow to draw with.
set(third_party_options -w -O2)

add_library(moescope_imgui STATIC
  ${imgui}/imgui.cpp ${imgui}/imgui_draw.cpp ${imgui}/imgui_tables.cpp ${imgui}/imgui_widgets.cpp
  ${imgui}/imgui_stacklayout.cpp ${imgui}/backends/imgui_impl_opengl3.cpp)
target_include_directories(moescope_imgui SYSTEM PUBLIC ${imgui} ${imgui}/backends)
target_compile_definitions(moescope_imgui PUBLIC
  "ImDrawIdx=unsigned int" IMGUI_ENABLE_TEST_ENGINE IMGUI_DISABLE_OBSOLETE_FUNCTIONS)
target_compile_options(moescope_imgui PRIVATE ${third_party_options})
target_link_libraries(moescope_imgui PUBLIC ${CMAKE_DL_LIBS})

# The capture tool is linked too: the engine calls it even where capturing is compiled out.
file(GLOB engine_sources ${engine}/imgui_te_*.cpp ${engine}/imgui_capture_tool.cpp)
add_library(moescope_imgui_engine STATIC EXCLUDE_FROM_ALL ${engine_sources})
target_include_directories(moescope_imgui_engine SYSTEM PUBLIC ${engine})
target_compile_definitions(moescope_imgui_engine PUBLIC
  IMGUI_TEST_ENGINE_ENABLE_COROUTINE_STDTHREAD_IMPL=1 IMGUI_TEST_ENGINE_ENABLE_CAPTURE=0)
target_compile_options(moescope_imgui_engine PRIVATE ${third_party_options})
target_link_libraries(moescope_imgui_engine PUBLIC moescope_imgui Threads::Threads)

# Linked as an object, not from an archive: ImGui is what calls the hooks, and an archive named before it would be
# passed over by a linker that looks at each archive once.
add_library(moescope_no_test_engine OBJECT ${CMAKE_SOURCE_DIR}/app/canvas/no_test_engine.cpp)
target_link_libraries(moescope_no_test_engine PRIVATE moescope_options moescope_imgui)
add_library(moescope_imgui_no_engine INTERFACE)
target_link_libraries(moescope_imgui_no_engine INTERFACE $<TARGET_OBJECTS:moescope_no_test_engine> moescope_imgui)
