#include "app/desktop/welcome_page.h"

#include <QFileInfo>
#include <QGridLayout>
#include <QScrollArea>
#include <QVBoxLayout>

#include <algorithm>

#include "app/desktop/sample_card.h"

namespace moescope::app {
namespace {

constexpr int kColumns = 3;
constexpr int kWidest = 1060;

QLabel* label(const QString& text, const char* role, QWidget* parent) {
  auto* made = new QLabel(text, parent);
  made->setProperty("role", QString::fromLatin1(role));
  made->setWordWrap(true);
  return made;
}

}  // namespace

WelcomePage::WelcomePage(Session& session, std::vector<Sample> samples, QWidget* parent)
    : QWidget(parent), session_(session), samples_(std::move(samples)) {
  setObjectName(QStringLiteral("page"));
  auto* outer = new QVBoxLayout(this);
  outer->setContentsMargins(0, 0, 0, 0);
  auto* scroll = new QScrollArea(this);
  scroll->setWidgetResizable(true);
  scroll->setFocusPolicy(Qt::NoFocus);
  outer->addWidget(scroll);
  auto* middle = new QWidget;
  auto* row = new QHBoxLayout(middle);
  auto* page = new QWidget(middle);
  page->setMaximumWidth(kWidest);
  row->addStretch(1);
  row->addWidget(page, 1000);
  row->addStretch(1);
  auto* column = new QVBoxLayout(page);
  column->setContentsMargins(24, 26, 24, 20);
  column->setSpacing(12);
  column->addWidget(label(tr("MoEScope"), "title", page));
  column->addWidget(
      label(tr("Train a small Mixture-of-Experts language model on real text, watch which expert every token goes to, "
               "and take the wheel while it learns."),
            "muted", page));
  column->addWidget(make_hero());
  auto* lower = new QHBoxLayout;
  lower->setSpacing(20);
  lower->addWidget(make_gallery(), 3);
  lower->addWidget(make_side(), 1);
  column->addLayout(lower, 1);
  scroll->setWidget(middle);
  connect(&session_, &Session::slow_tick, this, &WelcomePage::refresh);
  connect(&session_, &Session::run_started, this, &WelcomePage::refresh);
  refresh();
}

QWidget* WelcomePage::make_hero() {
  auto* hero = new QFrame(this);
  hero->setObjectName(QStringLiteral("hero"));
  auto* row = new QHBoxLayout(hero);
  row->setContentsMargins(16, 14, 16, 14);
  auto* words = new QVBoxLayout;
  words->setSpacing(4);
  hero_title_ = label(tr("Two-stage workshop"), "heading", hero);
  hero_line_ = label({}, "muted", hero);
  activity_ = label({}, "small", hero);
  bar_ = new QProgressBar(hero);
  bar_->setTextVisible(false);
  words->addWidget(hero_title_);
  words->addWidget(hero_line_);
  words->addWidget(activity_);
  words->addWidget(bar_);
  row->addLayout(words, 1);
  row->addSpacing(24);
  start_ = new QPushButton(tr("Start   Space"), hero);
  start_->setProperty("role", "primary");
  start_->setMinimumSize(150, 40);
  start_->setToolTip(tr("Start the prepared run (Space)"));
  start_->setAccessibleName(tr("Start the prepared run"));
  row->addWidget(start_, 0, Qt::AlignVCenter);
  connect(start_, &QPushButton::clicked, this, &WelcomePage::start_wanted);
  return hero;
}

QWidget* WelcomePage::make_gallery() {
  auto* box = new QWidget(this);
  auto* column = new QVBoxLayout(box);
  column->setContentsMargins(0, 6, 0, 0);
  column->setSpacing(8);
  column->addWidget(label(tr("Other runs to try"), "heading", box));
  auto* grid = new QGridLayout;
  grid->setSpacing(8);
  int place = 0;
  for (const Sample& sample : samples_) {
    if (sample.path.endsWith(QLatin1String(kDefaultSample))) continue;
    auto* card = new SampleCard(session_, sample.title, sample.method, sample.line, box);
    const QString path = sample.path;
    connect(card, &QAbstractButton::clicked, this, [this, path] { Q_EMIT open_wanted(path); });
    grid->addWidget(card, place / kColumns, place % kColumns);
    ++place;
  }
  for (int i = 0; i < kColumns; ++i) grid->setColumnStretch(i, 1);
  if (place == 0) column->addWidget(label(tr("The folder sample_configs was not found."), "muted", box));
  column->addLayout(grid);
  column->addStretch(1);
  return box;
}

QPushButton* WelcomePage::make_link(const QString& text, const QString& tip) {
  auto* link = new QPushButton(text, this);
  link->setProperty("role", "link");
  link->setCursor(Qt::PointingHandCursor);
  link->setToolTip(tip);
  return link;
}

QWidget* WelcomePage::make_side() {
  auto* box = new QWidget(this);
  auto* column = new QVBoxLayout(box);
  column->setContentsMargins(0, 6, 0, 0);
  column->setSpacing(4);
  column->addWidget(label(tr("Your own text"), "heading", box));
  column->addWidget(
      label(tr("Drop a text file or a folder on the window; each sub-folder is a class of its own."), "small", box));
  QPushButton* text = make_link(tr("Open a text file…"), tr("Train on a text file"));
  QPushButton* folder = make_link(tr("Open a folder…"), tr("Train on all text files of a folder"));
  QPushButton* form = make_link(tr("Set up a run…"), tr("Every setting, with its range (Ctrl+N)"));
  for (QPushButton* link : {text, folder, form}) column->addWidget(link, 0, Qt::AlignLeft);
  connect(text, &QPushButton::clicked, this, &WelcomePage::open_text_wanted);
  connect(folder, &QPushButton::clicked, this, &WelcomePage::open_folder_wanted);
  connect(form, &QPushButton::clicked, this, &WelcomePage::form_wanted);
  column->addSpacing(12);
  column->addWidget(label(tr("Recent"), "heading", box));
  QPushButton* run = make_link(tr("Open a recorded run…"), tr("Look at it, go on with it, fork it (Ctrl+Shift+O)"));
  column->addWidget(run, 0, Qt::AlignLeft);
  connect(run, &QPushButton::clicked, this, &WelcomePage::open_run_wanted);
  recent_ = new QVBoxLayout;
  recent_->setSpacing(2);
  column->addLayout(recent_);
  column->addStretch(1);
  refresh_recent();
  return box;
}

void WelcomePage::refresh_recent() {
  while (QLayoutItem* item = recent_->takeAt(0)) {
    delete item->widget();
    delete item;
  }
  const QStringList files = recent_files();
  for (const QString& path : files) {
    const QString name = QFileInfo(path).fileName();
    QPushButton* link = make_link(is_run(path) ? tr("%1 · run").arg(name) : name, path);
    connect(link, &QPushButton::clicked, this, [this, path] { Q_EMIT open_wanted(path); });
    recent_->addWidget(link, 0, Qt::AlignLeft);
  }
  if (files.isEmpty()) recent_->addWidget(label(tr("Files you open stand here."), "small", this));
}

void WelcomePage::refresh() {
  const config::RunConfig* config = session_.bench().config();
  const config::MethodInfo* method = session_.method();
  if (config && method) {
    QString name = QString::fromStdString(config->top.name).replace(QLatin1Char('_'), QLatin1Char(' '));
    if (!name.isEmpty()) name[0] = name[0].toUpper();
    hero_title_->setText(QStringLiteral("%1 · %2").arg(name, QString::fromStdString(method->title)));
    hero_line_->setText(QString::fromStdString(method->summary));
    for (const Sample& sample : samples_)
      if (QFileInfo(sample.path).completeBaseName() == QString::fromStdString(config->top.name))
        hero_line_->setText(sample.line);
  }
  const bus::RunStatus& status = session_.status();
  const bool preparing = status.state == bus::RunState::kIdle && session_.bench().active();
  const bool failed = status.state == bus::RunState::kFailed;
  bar_->setVisible(preparing);
  bar_->setRange(0, status.progress < 0 ? 0 : 1000);
  bar_->setValue(static_cast<int>(1000 * std::max(0.0, status.progress)));
  const QString activity = QString::fromStdString(status.activity);
  QString words = status.step > 0 ? tr("At step %1.").arg(status.step) : tr("Prepared, paused at step 0.");
  if (preparing) words = activity.isEmpty() ? tr("Preparing…") : tr("Preparing: %1").arg(activity);
  if (failed) words = QString::fromStdString(status.failure.message);
  if (!session_.bench().active() && !failed && status.step == 0) words = tr("Nothing is prepared. Choose a run below.");
  activity_->setText(words);
  const bool begun = status.step > 0;
  start_->setEnabled(session_.unfinished() || begun);
  start_->setText(begun ? tr("Back to the run") : tr("Start   Space"));
  start_->setAccessibleName(begun ? tr("Back to the run") : tr("Start the prepared run"));
}

}  // namespace moescope::app
