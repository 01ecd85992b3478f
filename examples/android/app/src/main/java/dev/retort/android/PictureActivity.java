package dev.retort.android;

import android.app.Activity;
import android.graphics.Bitmap;
import android.os.Bundle;
import android.widget.ImageView;
import dev.retort.runtime.Image;
import dev.retort.runtime.StudentException;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;

/** Shows a picture that the phone draws itself: {@code assets/student.onnx} is the student. */
public final class PictureActivity extends Activity {
    @Override
    protected void onCreate(Bundle state) {
        super.onCreate(state);
        ImageView view = new ImageView(this);
        setContentView(view);
        new Thread(() -> draw(view)).start(); // files and networks are not for the thread of the screen
    }

    private void draw(ImageView view) {
        try (InputStream asset = getAssets().open("student.onnx");
                Pictures pictures = Pictures.open(asset, new File(getCacheDir(), "student.onnx"))) {
            Image image = pictures.draw(System.nanoTime() >>> 1);
            Bitmap bitmap =
                    Bitmap.createBitmap(image.toArgb(), image.width(), image.height(), Bitmap.Config.ARGB_8888);
            runOnUiThread(() -> view.setImageBitmap(bitmap));
        } catch (IOException | StudentException e) {
            runOnUiThread(() -> setTitle(e.getMessage()));
        }
    }
}
