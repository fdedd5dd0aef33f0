#include <algorithm>
#include <array>
#include <utility>

#include "views/panels/fonts.h"
#include "views/panels/view_base.h"
#include "views/panels/view_entry.h"
#include "views/scene/labels.h"
#include "views/scene/sentence_scene.h"

namespace moescope::views {
namespace {

constexpr float kPad = 10;

class SentenceView final : public ViewBase {
 public:
  std::string id() const override { return "sentence"; }
  std::string title() const override { return "Sentence"; }
  std::string subtitle(const ViewContext& context) const override {
    if (!context.history.run()) return "a text of yours through the router";
    return "layer " + std::to_string(shown_layer(context) + 1) + " · routed with the weights of this moment";
  }
  std::string help() const override {
    return "Type a sentence and press Enter. Each piece gets the colour of the expert it goes to in the selected "
           "layer, paler "
           "where the choice was close; the stripes beneath are all layers from the first down. The grey words are how "
           "the "
           "model goes on. The weights are those of the next step boundary; while paused, those of now.";
  }
  int min_interval_ms() const override { return 500; }
  // Whoever opens this dock wants to type; without the cursor in the field the letters would be shortcuts.
  void take_focus() override { focus_field_ = true; }

 protected:
  Scene make_scene(const ViewContext& context, Size size) override {
    if (run_ != context.history.run()) {
      run_ = context.history.run();
      state_.asked.clear();
    }
    return sentence_scene(context, size, state_);
  }

  void controls(const ViewContext& context, Size size, ImVec2 origin) override {
    const Palette& colors = context.palette;
    const bool alive =
        context.status.state == bus::RunState::kRunning || context.status.state == bus::RunState::kPaused;
    const bool ready = alive && context.history.latest() != nullptr;
    ImGui::SetCursorScreenPos({origin.x + kPad, origin.y + 10});
    ImGui::SetNextItemWidth(std::max(60.0F, size.w - 2 * kPad));
    ImGui::PushStyleVar(ImGuiStyleVar_FramePadding, {8, 4});
    ImGui::PushStyleVar(ImGuiStyleVar_FrameRounding, 5);
    ImGui::PushStyleVar(ImGuiStyleVar_FrameBorderSize, 1);
    ImGui::PushStyleColor(ImGuiCol_FrameBg, to_imgui_vec(colors.input));
    ImGui::PushStyleColor(ImGuiCol_Border, to_imgui_vec(colors.line));
    ImGui::PushStyleColor(ImGuiCol_Text, to_imgui_vec(colors.text));
    ImGui::PushStyleColor(ImGuiCol_TextDisabled, to_imgui_vec(colors.muted));
    push_font(12);
    ImGui::BeginDisabled(!ready);
    if (ready && std::exchange(focus_field_, false)) ImGui::SetKeyboardFocusHere();
    if (ImGui::InputTextWithHint("##sentence", "a sentence, then Enter", text_.data(), text_.size(),
                                 ImGuiInputTextFlags_EnterReturnsTrue))
      ask(context);
    ImGui::EndDisabled();
    ImGui::PopFont();
    ImGui::PopStyleColor(4);
    ImGui::PopStyleVar(3);
  }

 private:
  void ask(const ViewContext& context) {
    const std::string sentence(text_.data());
    if (sentence.empty() || !context.post) return;
    bus::Command command;
    command.kind = bus::CommandKind::kProbeSentence;
    command.text = sentence;
    context.post(command);
    state_.asked = sentence;
    ImGui::SetKeyboardFocusHere(-1);  // the next sentence can be typed at once
  }

  SentenceState state_;
  std::array<char, 1024> text_{};
  bool focus_field_ = false;
  const telemetry::RunInfo* run_ = nullptr;
};

}  // namespace

ViewEntry sentence_view() { return entry_of<SentenceView>(70); }

}  // namespace moescope::views
