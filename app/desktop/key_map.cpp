#include "app/desktop/key_map.h"

#include <Qt>

#include <map>

namespace moescope::app {
namespace {

const std::map<int, ImGuiKey>& named_keys() {
  static const std::map<int, ImGuiKey> keys = {
      {Qt::Key_Tab, ImGuiKey_Tab},
      {Qt::Key_Backtab, ImGuiKey_Tab},
      {Qt::Key_Left, ImGuiKey_LeftArrow},
      {Qt::Key_Right, ImGuiKey_RightArrow},
      {Qt::Key_Up, ImGuiKey_UpArrow},
      {Qt::Key_Down, ImGuiKey_DownArrow},
      {Qt::Key_PageUp, ImGuiKey_PageUp},
      {Qt::Key_PageDown, ImGuiKey_PageDown},
      {Qt::Key_Home, ImGuiKey_Home},
      {Qt::Key_End, ImGuiKey_End},
      {Qt::Key_Insert, ImGuiKey_Insert},
      {Qt::Key_Delete, ImGuiKey_Delete},
      {Qt::Key_Backspace, ImGuiKey_Backspace},
      {Qt::Key_Space, ImGuiKey_Space},
      {Qt::Key_Return, ImGuiKey_Enter},
      {Qt::Key_Escape, ImGuiKey_Escape},
      {Qt::Key_Control, ImGuiKey_LeftCtrl},
      {Qt::Key_Shift, ImGuiKey_LeftShift},
      {Qt::Key_Alt, ImGuiKey_LeftAlt},
      {Qt::Key_Meta, ImGuiKey_LeftSuper},
      {Qt::Key_Menu, ImGuiKey_Menu},
      {Qt::Key_Apostrophe, ImGuiKey_Apostrophe},
      {Qt::Key_Comma, ImGuiKey_Comma},
      {Qt::Key_Minus, ImGuiKey_Minus},
      {Qt::Key_Period, ImGuiKey_Period},
      {Qt::Key_Slash, ImGuiKey_Slash},
      {Qt::Key_Semicolon, ImGuiKey_Semicolon},
      {Qt::Key_Equal, ImGuiKey_Equal},
      {Qt::Key_BracketLeft, ImGuiKey_LeftBracket},
      {Qt::Key_Backslash, ImGuiKey_Backslash},
      {Qt::Key_BracketRight, ImGuiKey_RightBracket},
      {Qt::Key_QuoteLeft, ImGuiKey_GraveAccent},
      {Qt::Key_CapsLock, ImGuiKey_CapsLock},
      {Qt::Key_ScrollLock, ImGuiKey_ScrollLock},
      {Qt::Key_NumLock, ImGuiKey_NumLock},
      {Qt::Key_Print, ImGuiKey_PrintScreen},
      {Qt::Key_Pause, ImGuiKey_Pause},
  };
  return keys;
}

ImGuiKey keypad_key(int qt_key) {
  if (qt_key >= Qt::Key_0 && qt_key <= Qt::Key_9) return static_cast<ImGuiKey>(ImGuiKey_Keypad0 + (qt_key - Qt::Key_0));
  switch (qt_key) {
    case Qt::Key_Period: return ImGuiKey_KeypadDecimal;
    case Qt::Key_Slash: return ImGuiKey_KeypadDivide;
    case Qt::Key_Asterisk: return ImGuiKey_KeypadMultiply;
    case Qt::Key_Minus: return ImGuiKey_KeypadSubtract;
    case Qt::Key_Plus: return ImGuiKey_KeypadAdd;
    case Qt::Key_Equal: return ImGuiKey_KeypadEqual;
    case Qt::Key_Enter: return ImGuiKey_KeypadEnter;
    default: return ImGuiKey_None;
  }
}

}  // namespace

ImGuiKey imgui_key(int qt_key, bool keypad) {
  if (keypad || qt_key == Qt::Key_Enter)
    if (const ImGuiKey key = keypad_key(qt_key); key != ImGuiKey_None) return key;
  if (qt_key >= Qt::Key_A && qt_key <= Qt::Key_Z) return static_cast<ImGuiKey>(ImGuiKey_A + (qt_key - Qt::Key_A));
  if (qt_key >= Qt::Key_0 && qt_key <= Qt::Key_9) return static_cast<ImGuiKey>(ImGuiKey_0 + (qt_key - Qt::Key_0));
  if (qt_key >= Qt::Key_F1 && qt_key <= Qt::Key_F24) return static_cast<ImGuiKey>(ImGuiKey_F1 + (qt_key - Qt::Key_F1));
  const auto found = named_keys().find(qt_key);
  return found == named_keys().end() ? ImGuiKey_None : found->second;
}

}  // namespace moescope::app
