// The form is the declaration: every field, its errors beside it, nothing typed is lost.
#include <QDragEnterEvent>
#include <QDropEvent>
#include <QFile>
#include <QMimeData>
#include <QTemporaryDir>

#include "app/desktop/run_files.h"
#include "app/desktop/run_form.h"
#include "tests/app/desktop/window_fixture.h"

namespace moescope::test {
namespace {

class Form : public ::testing::Test {
 protected:
  app::Methods methods_ = fake_methods();
  app::RunForm form_{methods_};
  void SetUp() override { form_.set("moe.method", "two_stage"); }
};

TEST_F(Form, HasEveryFieldOfTheMethod) {
  for (const auto& [key, spec] : config::run_fields(methods_.catalogue.front()))
    EXPECT_NE(form_.field(key), nullptr) << key;
  EXPECT_TRUE(form_.start_button().isEnabled());
}

TEST_F(Form, SaysBesideTheFieldWhatIsWrong) {
  form_.set("moe.router.top_k", "9");
  EXPECT_EQ(form_.field("moe.router.top_k")->error(), "'top_k' is 9, allowed is 1 to 8");
  EXPECT_FALSE(form_.start_button().isEnabled());
  form_.set("moe.router.top_k", "2");
  EXPECT_TRUE(form_.start_button().isEnabled());
}

TEST_F(Form, SaysARuleOverSeveralFieldsAtItsField) {
  form_.set("moe.num_experts", "4");
  form_.set("moe.router.top_k", "5");
  const QString error = form_.field("moe.router.top_k")->error();
  EXPECT_TRUE(error.startsWith("'top_k' is 5, but this layer has 4 experts")) << qPrintable(error);
  EXPECT_FALSE(error.contains("line")) << qPrintable(error);
}

TEST_F(Form, SaysTheMethodsOwnRule) {
  form_.set("seed", "13");
  EXPECT_EQ(form_.field("seed")->error(), "'seed' is 13, which brings bad luck");
  EXPECT_FALSE(form_.start_button().isEnabled());
}

TEST_F(Form, KeepsWhatWasTypedThoughItIsNoNumber) {
  form_.set("train.steps", "many");
  EXPECT_FALSE(form_.start_button().isEnabled());
  EXPECT_EQ(std::get<std::string>(form_.field("train.steps")->value()), "many");
}

TEST_F(Form, ChangingTheMethodKeepsWhatWasTyped) {
  form_.set("train.lr", "0.01");
  form_.set("moe.router.balance_coefficient", "0.7");
  form_.set("moe.method", "plain");
  EXPECT_EQ(form_.field("moe.router.balance_coefficient"), nullptr);
  EXPECT_EQ(*form_.field("train.lr")->typed(), "0.01");
  form_.set("moe.method", "two_stage");
  EXPECT_EQ(*form_.field("moe.router.balance_coefficient")->typed(), "0.7");
}

TEST_F(Form, WritesWhatItReads) {
  QTemporaryDir folder;
  form_.set("train.lr", "0.01");
  const auto config =
      config::run_config_from({{"moe.method", std::string("two_stage")}, {"train.lr", 0.01}}, methods_.catalogue);
  ASSERT_TRUE(config.has_value());
  const QString path = folder.filePath("saved.toml");
  EXPECT_EQ(app::write_config(path, *config, methods_), QString());
  const auto again = app::read_config(path, methods_);
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(again->train.lr, 0.01);
  EXPECT_FALSE(app::write_config(folder.filePath("no/such/folder.toml"), *config, methods_).isEmpty());
}

TEST_F(Form, ShowsYesAndNoAsACheckBox) {
  auto* box = qobject_cast<QCheckBox*>(form_.field("moe.router.discrete_evaluation")->editor());
  ASSERT_NE(box, nullptr);
  EXPECT_FALSE(form_.field("moe.router.discrete_evaluation")->typed().has_value());
  QTest::mouseClick(box, Qt::LeftButton, Qt::NoModifier, QPoint(7, box->height() / 2));
  EXPECT_TRUE(std::get<bool>(form_.field("moe.router.discrete_evaluation")->value()));
  EXPECT_TRUE(form_.start_button().isEnabled());
  form_.set("moe.router.discrete_evaluation", "false");
  EXPECT_FALSE(box->isChecked());
}

TEST_F(Form, FieldsThatNameAFileCanBeBrowsed) {
  for (const char* key : {"data.corpus", "data.source", "data.target", "model.init_from"})
    EXPECT_NE(form_.field(key)->editor()->findChild<QAction*>("browse"), nullptr) << key;
  EXPECT_EQ(form_.field("name")->editor()->findChild<QAction*>("browse"), nullptr);
}

TEST_F(Form, SaysWhatTheRunWillTake) {
  EXPECT_EQ(form_.size_told(), "It will need about 9 MB of memory, and leave on disk about 7 MB.");
  form_.set("train.steps", "many");
  EXPECT_TRUE(form_.size_told().isEmpty());
}

TEST_F(Form, SaysWhenTheRunCannotFit) {
  EXPECT_TRUE(form_.messages().isEmpty());
  form_.set("model.d_model", "4096");
  EXPECT_TRUE(form_.messages().contains("needs 9 GB")) << qPrintable(form_.messages());
  EXPECT_TRUE(form_.messages().contains("smaller")) << qPrintable(form_.messages());
  EXPECT_TRUE(form_.start_button().isEnabled()) << "what is free may change until then";
}

TEST_F(Form, DoesNotJudgeMemoryThatARunGivesBack) {
  bool trains = true;
  form_.judge_memory_unless([&trains] { return trains; });
  form_.set("model.d_model", "4096");
  EXPECT_TRUE(form_.messages().isEmpty()) << qPrintable(form_.messages());
  trains = false;
  form_.set("seed", "5");  // any change judges again
  EXPECT_TRUE(form_.messages().contains("needs 9 GB")) << qPrintable(form_.messages());
}

class Drop : public WindowTest {
 protected:
  void drop(const QString& path) {
    QMimeData mime;
    mime.setUrls({QUrl::fromLocalFile(path)});
    QDragEnterEvent enter(QPoint(300, 300), Qt::CopyAction, &mime, Qt::LeftButton, Qt::NoModifier);
    QApplication::sendEvent(window_.get(), &enter);
    EXPECT_TRUE(enter.isAccepted());
    QDropEvent event(QPointF(300, 300), Qt::CopyAction, &mime, Qt::LeftButton, Qt::NoModifier);
    QApplication::sendEvent(window_.get(), &event);
  }
};

TEST_F(Drop, ATextFileOpensTheFormFilledIn) {
  QTemporaryDir folder;
  const QString path = folder.filePath("my novel.txt");
  QFile file(path);
  ASSERT_TRUE(file.open(QIODevice::WriteOnly));
  file.write("once upon a time");
  file.close();
  run(true);
  drop(path);
  auto* form = window_->findChild<app::RunForm*>();
  ASSERT_NE(form, nullptr);
  EXPECT_EQ(*form->field("data.corpus")->typed(), path);
  EXPECT_EQ(std::get<std::string>(form->field("data.tokenizer")->value()), "bpe");
  EXPECT_TRUE(form->start_button().isEnabled());
  EXPECT_EQ(form->focusWidget(), &form->start_button());
  form->reject();
}

TEST_F(Drop, AConfigurationStarts) {
  QTemporaryDir folder;
  const QString path = folder.filePath("dropped.toml");
  QFile file(path);
  ASSERT_TRUE(file.open(QIODevice::WriteOnly));
  file.write("name = \"dropped\"\n[moe]\nmethod = \"two_stage\"\n");
  file.close();
  drop(path);
  EXPECT_TRUE(wait_for([&] { return session().run() && session().run()->name == "dropped"; }));
  EXPECT_FALSE(window_->on_welcome_page());
}

}  // namespace
}  // namespace moescope::test
